"""The rungs of successive halving: global steps at which trials are compared, each with its losses."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import mul
from typing import Any

from tuner.domain.objective import comparable
from tuner.domain.pareto import order
from tuner.domain.spec import TrainSettings
from tuner.errors import Problem


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


def check_halving(options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
    """Yield what is wrong with ``eta`` and ``min_steps``."""
    if isinstance(eta := options.get("eta"), int) and eta < 2:
        yield Problem("search.scheduler.eta", f"is {eta}, expected at least 2", "one in eta goes on")
    yield from check_steps("min_steps", options, train)


def check_steps(key: str, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
    """Yield why an option cannot be a number of steps after which trials are compared."""
    steps, where = options.get(key), f"search.scheduler.{key}"
    if train.evaluate_every is None or not isinstance(steps, int):
        return
    if steps < train.evaluate_every or steps % train.evaluate_every:
        yield Problem(
            where,
            f"is {steps}, but evaluations come every {train.evaluate_every} steps",
            "expected a multiple of train.evaluate_every",
        )
    elif train.max_steps is not None and steps >= train.max_steps:
        yield Problem(
            where,
            f"is {steps}, and a trial ends at train.max_steps ({train.max_steps}), before anything is judged",
            f"expected less than {train.max_steps}",
        )


class Rung:
    """The losses of the trials that have come to one rung.

    Attributes:
        step: Global step at which it is.
        next_step: Global step of the next rung, or of the end. The share ``step / next_step`` of the trials goes on,
            so that each stretch of the way costs all trials together the same.
    """

    def __init__(self, step: int, next_step: int) -> None:
        self.step = step
        self.next_step = next_step
        self._came_at: dict[int, int] = {}
        self._losses: dict[int, float] = {}
        self._gone_on: set[int] = set()
        self._ranked: list[tuple[float, int]] = []  # loss and trial, best first

    def __contains__(self, trial: object) -> bool:
        return trial in self._losses

    def came_at(self, trial: int) -> int | None:
        """Return the global step of the evaluation by which a trial came here, or None if it did not."""
        return self._came_at.get(trial)

    def add(self, trial: int, step: int, losses: Sequence[float]) -> bool:
        """Take an evaluation of a trial here, and return whether it is the first: that stands. NaN is last."""
        if trial not in self._losses:
            self._came_at[trial] = step
            self._losses[trial] = comparable(losses)[0]
            insort(self._ranked, (self._losses[trial], trial))
        return self._came_at[trial] == step

    def loss(self, trial: int) -> float:
        """Return the loss of a trial here, infinite if it has none."""
        return self._losses.get(trial, math.inf)

    def best(self) -> list[int]:
        """Return the trials here that go on, their share rounded down, best first."""
        return [trial for _, trial in self._ranked[: self._places]]

    def go_on(self, trial: int) -> None:
        """Note that a trial goes on, or went on, from here; nothing is done for one that has not come here."""
        if trial in self._losses:
            self._gone_on.add(trial)

    def stay(self, trial: int) -> None:
        """Take that a trial that was to go on from here never did."""
        self._gone_on.discard(trial)

    def promotes(self, trial: int) -> bool:
        """Whether a trial here goes on now: it is among ``best``, and fewer than these have gone on.

        Each better newcomer would otherwise add one, and the better the sampler, the more of them there are.
        """
        return len(self._gone_on) < self._places and self._is_among_best(trial)

    def _is_among_best(self, trial: int) -> bool:
        place = bisect_left(self._ranked, (self._losses[trial], trial))
        return place < self._places

    def keeps(self, trial: int) -> bool:
        """Whether the loss of ``trial`` is among those that go on, which is one trial at least."""
        return self._losses[trial] <= self._ranked[max(1, self._places) - 1][0]

    @property
    def _places(self) -> int:
        return len(self._losses) * self.step // self.next_step


class FrontRung(Rung):
    """A rung at which trials with several objectives are compared by their fronts."""

    def __init__(self, step: int, next_step: int) -> None:
        super().__init__(step, next_step)
        self._vectors: dict[int, tuple[float, ...]] = {}
        self._order: list[int] | None = None

    def add(self, trial: int, step: int, losses: Sequence[float]) -> bool:
        if trial not in self._vectors:
            self._vectors[trial], self._order = comparable(losses), None
        return super().add(trial, step, losses)

    def ranked(self) -> list[int]:
        """Return the trials that have come here, best first."""
        if self._order is None:
            self._order = order(self._vectors, "nondominated")
        return self._order

    def best(self) -> list[int]:
        return self.ranked()[: self._places]

    def _is_among_best(self, trial: int) -> bool:
        return trial in self.best()

    def keeps(self, trial: int) -> bool:
        return trial in self.ranked()[: max(1, self._places)]


def comes_to(rung: int, step: int, evaluate_every: int) -> bool:
    """Whether an evaluation brings a trial to a rung, by the global steps of both.

    A command may evaluate at other steps than it was asked to, at 99 of 100, say: what is nearer to a rung than to the
    evaluation before it counts there, and what comes behind it without one counts, too.
    """
    return 2 * (rung - step) < evaluate_every


def rung_of(rungs: Sequence[Rung], step: int, evaluate_every: int) -> Rung | None:
    """Return the highest rung to which an evaluation brings a trial, or None."""
    return next((rung for rung in reversed(rungs) if comes_to(rung.step, step, evaluate_every)), None)


def halving_places(stops: Sequence[int], trials: int, least: int = 1) -> list[int]:
    """Return how many of so many trials train to each stop: all to the first, from there on the share of a rung.

    Args:
        stops: The rungs and the end, in steps or evaluations.
        trials: That begin.
        least: So many train to the end, if so many begin.
    """
    going = [trials]
    for stop, following in pairwise(stops):
        going.append(max(min(least, trials), going[-1] * stop // following))
    return going


def halving_steps(stops: Sequence[int], trials: int, least: int = 1) -> int:
    """Return the steps or evaluations that so many trials train in all; see ``halving_places``."""
    lengths = [following - stop for stop, following in pairwise([0, *stops])]
    return sum(map(mul, halving_places(stops, trials, least), lengths))


def make_rungs(train: TrainSettings, eta: int, min_steps: int | None, rank: str) -> list[Rung]:
    """Return the rungs below the end of a trial.

    Args:
        train: As of ``rung_steps``, like ``eta`` and ``min_steps``.
        eta: As of ``rung_steps``.
        min_steps: As of ``rung_steps``.
        rank: ``first`` or ``nondominated``: how trials are compared.
    """
    kind = FrontRung if rank == "nondominated" else Rung
    steps = list(rung_steps(train, eta, min_steps))
    ends = [*steps, train.bounds()[1]][1:]
    return [kind(step, next_step) for step, next_step in zip(steps, ends, strict=True)]
