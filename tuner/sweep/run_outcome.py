"""How one call of run ended."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.domain.trial import TrialState
from tuner.driver.stop_criteria import StopReason
from tuner.results import SweepResult


@dataclass(frozen=True)
class RunOutcome:
    """How a call of run ended.

    Attributes:
        result: The sweep's trials.
        end: Which limit was reached, or None if the sweep was stopped.
        exit_status: What the command line exits with.
        left_out: What was not done, if the sweep was stopped after its end: while its best model was being exported,
            or while MLflow took the last records. ``resume`` does it.
    """

    result: SweepResult
    end: StopReason | None
    exit_status: int
    left_out: str = ""


def has_failed(end: StopReason, result: SweepResult) -> bool:
    """Whether a sweep that ended is a failure: by its limit of failures, or as no trial completed or ever will."""
    return end.failed or not any(t.state is TrialState.COMPLETE or not t.state.is_finished for t in result.trials)


def status_of(end: StopReason, result: SweepResult) -> int:
    """Return the exit status of a call that saw the end of a sweep: 1 if it failed, or no trial has completed yet."""
    return int(end.failed or all(trial.state is not TrialState.COMPLETE for trial in result.trials))
