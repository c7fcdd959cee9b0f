"""What the end of a sweep is called, and the exit status of the call that saw it."""

from types import SimpleNamespace

import pytest

from tuner.domain.trial import TrialState
from tuner.driver.stop_criteria import StopReason
from tuner.sweep.run_outcome import has_failed, status_of

C, P, F, WAITS, CUT = (
    TrialState.COMPLETE,
    TrialState.PRUNED,
    TrialState.FAIL,
    TrialState.PAUSED,
    TrialState.INTERRUPTED,
)


@pytest.mark.parametrize(
    ("states", "limit_struck", "failed", "status"),
    [
        ([C, F, P], False, False, 0),
        ([C, WAITS], False, False, 0),
        ([C], True, True, 1),
        ([P, F], False, True, 1),
        ([], False, True, 1),
        ([P, WAITS], False, False, 1),
        ([CUT], False, False, 1),
    ],
)
def test_a_sweep_whose_trials_may_go_on_has_not_failed_yet(states, limit_struck, failed, status):
    end, result = (
        StopReason("", failed=limit_struck),
        SimpleNamespace(trials=[SimpleNamespace(state=s) for s in states]),
    )
    assert (has_failed(end, result), status_of(end, result)) == (failed, status)
