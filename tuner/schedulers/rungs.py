"""The rungs of successive halving: global steps at which trials are compared, each with its losses."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from tuner.schedulers.rank import comparable, order
from tuner.spec import TrainSettings


def rung_steps(train: TrainSettings, eta: int, min_steps: int | None) -> Iterator[int]:
    """Yield the rungs below the end of a trial: ``min_steps``, then ``eta`` times the one before.

    Args:
        train: How long a trial trains and how often it is evaluated.
        eta: How many times longer a trial trains from one rung to the next, at least 2.
        min_steps: The first rung in global steps, a multiple of ``train.evaluate_every`` (elsewhere a
            trial has no value), or None for the first evaluation.
    """
    evaluate_every, max_steps = train.bounds()
    step = min_steps or evaluate_every
    while step < max_steps:
        yield step
        step *= eta


class Rung:
    """The losses of the trials that have come to one rung.

    Attributes:
        step: Global step at which it is.
        eta: One in so many goes on.
    """

    def __init__(self, step: int, eta: int) -> None:
        self.step = step
        self.eta = eta
        self._losses: dict[int, float] = {}
        self._ranked: list[tuple[float, int]] = []  # loss and trial, best first

    def __contains__(self, trial: object) -> bool:
        return trial in self._losses

    def take(self, trial: int, losses: Sequence[float]) -> None:
        """Take a trial's first loss here; the first one stands, and NaN loses against every number."""
        if trial not in self._losses:
            self._losses[trial] = comparable(losses)[0]
            insort(self._ranked, (self._losses[trial], trial))

    def loss(self, trial: int) -> float:
        """Return the loss of a trial here, infinite where it has none."""
        return self._losses.get(trial, math.inf)

    def best(self) -> list[int]:
        """Return the best one in ``eta`` of the trials here, rounded down, best first."""
        return [trial for _, trial in self._ranked[: len(self._ranked) // self.eta]]

    def promotes(self, trial: int) -> bool:
        """Whether a trial here is among ``best``."""
        place = bisect_left(self._ranked, (self._losses[trial], trial))
        return place < len(self._ranked) // self.eta

    def keeps(self, trial: int) -> bool:
        """Whether the loss of ``trial`` is among the best one in ``eta``, which is one trial at least."""
        return self._losses[trial] <= self._ranked[max(1, len(self._ranked) // self.eta) - 1][0]


class FrontRung(Rung):
    """A rung at which trials with several objectives are compared by their fronts."""

    def __init__(self, step: int, eta: int) -> None:
        super().__init__(step, eta)
        self._vectors: dict[int, tuple[float, ...]] = {}
        self._order: list[int] | None = None

    def take(self, trial: int, losses: Sequence[float]) -> None:
        super().take(trial, losses)
        if trial not in self._vectors:
            self._vectors[trial], self._order = comparable(losses), None

    def ranked(self) -> list[int]:
        """Return the trials that have come here, best first."""
        if self._order is None:
            self._order = order(self._vectors, "nondominated")
        return self._order

    def best(self) -> list[int]:
        return self.ranked()[: len(self._vectors) // self.eta]

    def promotes(self, trial: int) -> bool:
        return trial in self.best()

    def keeps(self, trial: int) -> bool:
        return trial in self.ranked()[: max(1, len(self._vectors) // self.eta)]


def make_rung(step: int, eta: int, rank: str) -> Rung:
    """Return a rung that compares trials by ``rank``: ``first`` or ``nondominated``."""
    return FrontRung(step, eta) if rank == "nondominated" else Rung(step, eta)
