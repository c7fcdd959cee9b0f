"""What the record log alone says of trials."""

import pytest

from tuner.domain.trial import Evaluation, TrialState
from tuner.records.log import RecordLog
from tuner.records.record import Evaluated, TrialChanged
from tuner.records.trials import idle_trials

RUNNING, PAUSED, PRUNED = TrialState.RUNNING, TrialState.PAUSED, TrialState.PRUNED
COMPLETE, INTERRUPTED = TrialState.COMPLETE, TrialState.INTERRUPTED


@pytest.mark.parametrize(
    "told, since",
    [
        ([(10, RUNNING)], None),
        ([(10, RUNNING), (20, COMPLETE)], 20),
        ([(10, RUNNING), (20, PAUSED), (90, PRUNED)], 20),  # never promoted: its process ended long before
        ([(10, RUNNING), (20, PAUSED), (30, RUNNING)], None),
        ([(10, RUNNING), (20, INTERRUPTED), (30, RUNNING), (40, COMPLETE)], 40),
        ([(10, RUNNING), (30, RUNNING), (40, COMPLETE)], 40),  # a driver died between
        ([(10, RUNNING), (15, 18.0), (20, COMPLETE)], 20),
        ([(10, RUNNING), (15, 25.0), (20, COMPLETE)], 25.0),  # the clock of its machine is ahead
    ],
)
def test_a_trial_is_idle_since_its_last_process_ended_by_the_clock_of_its_events(tmp_path, told, since):
    log = RecordLog(tmp_path / "curves.jsonl")
    for time, what in told:
        state = isinstance(what, TrialState)
        log.append(
            TrialChanged(3, float(time), what) if state else Evaluated(3, Evaluation(time, what, "eval", {"rmse": 1.0}))
        )
    log.close()
    assert idle_trials(tmp_path / "curves.jsonl") == ({} if since is None else {3: since})
