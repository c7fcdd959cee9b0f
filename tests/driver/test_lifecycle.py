"""The lines in which a trial's beginning and its states are told."""

import pytest

from tuner.domain.trial import TrialState
from tuner.driver.lifecycle import start_line, state_line
from tuner.driver.trial_queue import NEVER_RESUMED
from tuner.records.record import TrialChanged


@pytest.mark.parametrize(
    ("begins", "where", "why", "line"),
    [
        ("", "", "", "trial 7: running, with rate=0.1"),
        ("", "pid 12", "", "trial 7: running, pid 12, with rate=0.1"),
        ("resumed at step 20", "pid 12", "", "trial 7: resumed at step 20, pid 12"),
        ("resumed at step 20", "", "the best at its rung", "trial 7: resumed at step 20 (the best at its rung)"),
    ],
)
def test_a_beginning_says_its_parameters_and_a_continuation_from_where(begins, where, why, line):
    assert start_line(7, begins, where, {"rate": 0.1, "batch": 8}, {"batch": 8}, why) == line


def test_a_trial_with_constants_alone_says_no_parameters():
    assert start_line(0, "", "", {"batch": 8}, {"batch": 8}, "") == "trial 0: running"


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (TrialChanged(3, 0.0, TrialState.RUNNING), "trial 3: RUNNING"),
        (TrialChanged(3, 0.0, TrialState.FAIL, "it raised"), "trial 3: FAIL (it raised)"),
        (
            TrialChanged(3, 0.0, TrialState.PRUNED, "by median", {"rmse": 1 / 3, "mae": 2.0}, 40),
            "trial 3: PRUNED at step 40, rmse 0.333333, mae 2 (by median)",
        ),
        (TrialChanged(3, 0.0, TrialState.PRUNED, NEVER_RESUMED, {"rmse": 1 / 3}, 40), ""),  # said when it was paused
    ],
)
def test_a_state_is_told_with_step_values_and_reason(changed, line):
    assert state_line(changed) == line
