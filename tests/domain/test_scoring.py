"""What comes out of curves by the rules of a sweep."""

import pytest

from tuner.domain.job import Job
from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.domain.scoring import INFEASIBLE, losses_at
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


def test_what_breaks_a_constraint_is_behind_all_else_and_the_farther_beyond_the_more():
    objectives = [Objective("rmse"), Objective("accuracy", Goal.MAXIMIZE)]
    constraints = [Constraint("latency", high=5.0), Constraint("size", low=1.0, of=Aggregation("best"))]
    curves = {
        "rmse": dict.fromkeys(range(1, 8), 1e200),
        "accuracy": dict.fromkeys(range(1, 8), -1e200),
        "latency": {1: 5.0, 2: 5.1, 3: 5.0, 4: 900.0, 5: float("nan"), 6: 4.0},
        "size": {3: 0.5, 4: 0.5, 5: 0.5, 6: 0.9, 7: 1.0},
    }
    at = {step: losses_at(objectives, curves, step, constraints) for step in range(1, 8)}
    assert at[1] == at[7] == [1e200, 1e200]  # of a metric that was not evaluated yet nothing is known
    assert all(one == other >= INFEASIBLE for one, other in (at[step] for step in (2, 3, 4, 5, 6)))
    assert at[2] == pytest.approx(at[6])
    assert at[2] < at[3] < at[4] < at[5] <= [2 * INFEASIBLE, 2 * INFEASIBLE]
