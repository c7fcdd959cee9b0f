"""What finished trials add up to."""

from dataclasses import replace

from tests.study.studies import spec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.status import SweepStatus, in_order_of_ending

COMPLETE, FAIL, RUNNING = TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING


def test_failures_in_a_row_are_those_that_ended_after_one_another_whatever_their_numbers():
    made = spec()
    made = replace(made, search=replace(made.search, max_consecutive_failures=2))
    ended = [(0, COMPLETE, 2.0), (1, FAIL, 1.0), (2, FAIL, 3.0), (3, RUNNING, 0.0)]
    trials = [TrialRecord(number, state, {}, values={"rmse": 1.0}, ended=at) for number, state, at in ended]
    status = SweepStatus(made)
    for trial in in_order_of_ending(trials):
        status.add_earlier(trial)
    assert status.stop_criteria.reached(0.0) is None
    status.add_earlier(TrialRecord(4, FAIL, {}, ended=4.0))
    assert status.stop_criteria.reached(0.0).failed
