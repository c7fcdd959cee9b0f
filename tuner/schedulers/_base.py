"""What every scheduler does: judge trials by their evaluations.

A scheduler is a function of the history that it has been told: after a restart the history is told
again (with what became of each trial), and it decides as it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tuner.values import TrialState, Verdict


class Scheduler(Protocol):
    """Judge trials. Losses are values of which less is better, one for each objective."""

    def next_stop(self, trial: int, step: int) -> int | None:
        """Return the global step after ``step`` at which a trial stops by itself, or None for its end."""

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Verdict:
        """Take an evaluation of a running trial, in step order, and say what becomes of the trial."""

    def settle(self, trial: int, state: TrialState) -> None:
        """Take that a trial was paused, or will not run again."""

    def promote(self) -> int | None:
        """Return a paused trial that goes on now, or None."""
