"""What the end of an attempt means for its trial."""

import pytest

from tests.driver.test_running_trial import INTERRUPTED, PAUSED, PRUNED, evaluation, running
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.trial import TrialState
from tuner.driver.outcomes import outcome_of_end

FINISHED = JobResult(JobStatus.FINISHED, 1, step=40)


def outcome(trial, result=FINISHED, **settings):
    return outcome_of_end(trial, result, [], **{"nan": "fail", "retries": 1, **settings})


@pytest.mark.parametrize(
    "decided, kill, state",
    [
        (None, False, TrialState.COMPLETE),
        (INTERRUPTED, False, TrialState.COMPLETE),  # it came to its end before it could stop
        (PAUSED, False, TrialState.COMPLETE),
        (PAUSED, True, TrialState.PAUSED),  # its last evaluations did not count any more
        (PRUNED, True, TrialState.PRUNED),
    ],
)
def test_a_trial_that_trained_to_its_end_is_complete_if_its_last_evaluation_counted(decided, kill, state):
    trial = running()
    trial.report(evaluation(30, rmse=1.0))
    if decided is not None:
        trial.decide(decided)
        trial.note_stop_request(101.0, kill)
    trial.report(evaluation(40, rmse=0.5))
    assert outcome(trial).state is state
    assert (40 in trial.curve) is (state is TrialState.COMPLETE)


def test_what_raises_before_its_first_checkpoint_is_not_tried_again_and_what_died_is():
    reason = "ValueError: no"
    assert outcome(running(), JobResult(JobStatus.FAILED, 1, None, reason)).state is TrialState.FAIL
    assert outcome(running(), JobResult(JobStatus.FAILED, 1, None, reason, died=True)).state is TrialState.RUNNING
    assert outcome(running(), JobResult(JobStatus.FAILED, 1, 20, reason)).state is TrialState.RUNNING
    assert outcome(running(), JobResult(JobStatus.FAILED, 1, 20, reason), retries=0).state is TrialState.FAIL


@pytest.mark.parametrize("nan, state", [("fail", TrialState.FAIL), ("worst", TrialState.COMPLETE)])
def test_an_objective_that_is_no_number_is_what_the_sweep_says_it_is(nan, state):
    trial = running()
    trial.report(evaluation(40, rmse=float("nan")))
    assert outcome(trial, nan=nan).state is state


def test_a_trial_that_comes_to_its_rung_without_an_objective_fails_as_one_that_comes_to_its_end():
    stopped = JobResult(JobStatus.STOPPED, 1, step=10)
    trial = running(stop_at=10)
    assert outcome(trial, stopped).state is TrialState.PAUSED  # it was not evaluated
    trial.report(evaluation(10, rsme=1.0))
    said = outcome(trial, stopped)
    assert said.state is TrialState.FAIL and said.objective_missing
    assert said.reason == "the objective 'rmse' never came; tags that are there: rsme; did you mean 'rsme'?"
    trial.report(evaluation(10, rmse=1.0))
    assert outcome(trial, stopped).state is TrialState.PAUSED
