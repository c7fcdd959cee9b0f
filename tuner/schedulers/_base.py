"""What every scheduler does: judge trials by their evaluations, and say which paused ones go on.

A scheduler is a function of the history that it has been told: after a restart the history is told
again (with what became of each trial), and it decides as it would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.values import Params, TrialState, Verdict


@dataclass(frozen=True)
class Promotion:
    """A paused trial goes on."""

    trial: int


@dataclass(frozen=True)
class Exploit:
    """A paused trial ends; a new one begins in its place from a better one's checkpoint.

    Attributes:
        trial: The one that ends.
        donor: Whose checkpoint the new one begins with.
        step: Global step of that checkpoint.
        params: Of the new trial, without constants.
    """

    trial: int
    donor: int
    step: int
    params: Params


class Scheduler:
    """Judge trials; this one lets every trial run to its end.

    Losses are values of which less is better, one for each objective.
    """

    def begin(self, trial: int, params: Params, replaces: int | None = None, step: int = 0) -> None:
        """Take that a trial exists; told again of one that had not drawn all of its parameters, take these.

        Args:
            trial: Its number.
            params: Its parameters and constants.
            replaces: The trial that ended for it, see ``Exploit``, or None.
            step: Global step at which it began, above 0 if it began with another one's checkpoint.
        """

    def next_stop(self, trial: int, step: int) -> int | None:  # noqa: ARG002
        """Return the global step after ``step`` at which a trial pauses by itself, or None for its end."""
        return None

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Verdict:  # noqa: ARG002
        """Take an evaluation of a running trial, in step order, and say what becomes of the trial."""
        return Verdict.GO_ON

    def settle(self, trial: int, state: TrialState) -> None:
        """Take that a trial was paused, or will not run again."""

    def recall(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        """Take what an earlier driver saw of a trial; ``begin`` came before.

        A trial that is neither settled nor paused runs again, and its evaluations are reported again.
        """
        if state.settled:
            for step, losses in curve.items():
                self.report(trial, step, losses)
            self.settle(trial, state)

    def advance(self, may_begin: bool) -> Promotion | Exploit | None:  # noqa: ARG002
        """Return what is to be done before a new trial is drawn, or None.

        Args:
            may_begin: Whether the sweep's limits allow another trial.
        """
        return None

    def draws(self) -> bool:
        """Whether a new trial may be drawn now."""
        return True
