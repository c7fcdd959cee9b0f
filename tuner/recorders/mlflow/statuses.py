"""MLflow's statuses of runs: which one a trial's run has in each state, and the sweep's own at its end."""

from __future__ import annotations

from tuner.domain.trial import TrialState

STATUS = {
    TrialState.RUNNING: "RUNNING",
    TrialState.PAUSED: "SCHEDULED",
    TrialState.INTERRUPTED: "SCHEDULED",
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}
STATUS_OF_END = {True: "FINISHED", False: "SCHEDULED"}
"""Of the sweep's run, by whether it ended rather than being stopped."""
