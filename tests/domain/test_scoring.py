"""What comes out of curves by the rules of a sweep."""

import pytest

from tuner.domain.job import Job
from tuner.domain.objective import Aggregation, Goal, Objective
from tuner.domain.scoring import losses_at
from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Evaluation, TrialRecord, TrialState
from tuner.driver.running_trial import RunningTrial

CURVE = {10: 1.0, 20: 4.0, 30: 1.0, 40: 3.0}


@pytest.mark.parametrize(
    "of, losses",
    [
        (Aggregation("last"), [-1.0, -4.0, -1.0, -3.0]),
        (Aggregation("best"), [-1.0, -4.0, -4.0, -4.0]),
        (Aggregation("mean", 2), [-1.0, -2.5, -2.5, -2.0]),
    ],
)
def test_schedulers_judge_an_evaluation_by_the_objectives_own_rule(of, losses):
    objective = Objective("accuracy", Goal.MAXIMIZE, of)
    assert [losses_at([objective], {"accuracy": CURVE}, step)[0] for step in CURVE] == losses
    record = TrialRecord(0, TrialState.RUNNING, {})
    running = RunningTrial(record, Job(0, 1, {}, 0, TrainSettings(40, 10)), 0.0, [objective])
    shown = []
    for step, value in CURVE.items():
        running.report(Evaluation(step, 0.0, "eval", {"accuracy": value}))
        shown += running.losses(step)
    assert shown == losses
