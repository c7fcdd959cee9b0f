"""What a sweep shows while it runs: a snapshot, and lines that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tuner.domain.trial import TrialState


@dataclass(frozen=True)
class TrialProgress:
    """A trial that runs: how far it is, and its latest objective (None before the first)."""

    number: int
    step: int
    max_steps: int | None
    value: float | None


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Attributes:
        running: The trials that run, by number.
        total: Trials of the sweep when it is done.
        counts: Trials in each state, those that run left out.
        best: Number and objective of the best trial, or None.
        elapsed_s: Running time of the sweep so far, over all calls, in seconds.
        left_s: Estimate of the time until it is done, in seconds, or None.
    """

    running: tuple[TrialProgress, ...]
    total: int
    counts: Mapping[TrialState, int]
    best: tuple[int, float] | None
    elapsed_s: float
    left_s: float | None

    @property
    def done(self) -> int:
        """Trials that are finished."""
        return sum(count for state, count in self.counts.items() if state.is_finished)


class Display(Protocol):
    """Show a sweep to somebody."""

    def line(self, line: str) -> None:
        """Show a line that stays."""

    def update(self, progress: Progress) -> None:
        """Show where the sweep stands; called several times a second."""


class NullDisplay:
    """Show nothing."""

    def line(self, line: str) -> None:
        del line

    def update(self, progress: Progress) -> None:
        del progress
