"""Asynchronous Hyperband: several runs of successive halving that begin at different rungs.

Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", JMLR 18 (2018),
with ASHA (see ``asha``) in each bracket, as section 3.2 of its paper proposes. Brackets get trials in
the proportions of Hyperband's table: ``ceil((s_max + 1) / (s + 1) * eta ** s)`` trials for the bracket
in which a trial is halved ``s`` times.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import Problem
from tuner.schedulers.asha import AshaScheduler
from tuner.schedulers.base import Promotion, Scheduler
from tuner.schedulers.rungs import check_halving, rung_steps


class HyperbandScheduler(Scheduler):
    """Pause trials at the rungs of their brackets and promote the best; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        eta: One of ``eta`` trials is promoted from a rung, and trains ``eta`` times longer.
        min_steps: The first rung of the first bracket in global steps, or None for the first evaluation.
        rank: ``first`` or ``nondominated``: how trials with several objectives are compared.
    """

    uses_rungs = True
    goes_with_repeats = False

    @classmethod
    def check(cls, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
        yield from super().check(options, train)
        yield from check_halving(options, train)

    def __init__(self, train: TrainSettings, eta: int = 3, min_steps: int | None = None, rank: str = "first") -> None:
        self._planned: dict[int, int] = {}  # steps by number of trials
        self._max_steps = train.bounds()[1]
        # A bracket whose first rung is nearly the end would halve nothing: the paper has none.
        steps = [step for step in rung_steps(train, eta, min_steps) if step * eta <= train.bounds()[1]]
        halvings = range(len(steps), -1, -1)
        self._brackets: list[Scheduler] = [
            AshaScheduler(train, eta, steps[len(steps) - s], rank) if s else Scheduler() for s in halvings
        ]
        self._shares = [math.ceil((len(steps) + 1) / (s + 1) * eta**s) for s in halvings]
        self._bracket_of: list[int] = []  # by number of the trial
        self._given = [0] * len(self._shares)

    def bracket(self, trial: int) -> int:
        """Return the bracket of a trial, counted from the one that halves most; by its number alone."""
        while len(self._bracket_of) <= trial:
            given = len(self._bracket_of) + 1
            total = sum(self._shares)
            lacks = [given * share / total - self._given[b] for b, share in enumerate(self._shares)]
            bracket = lacks.index(max(lacks))
            self._bracket_of.append(bracket)
            self._given[bracket] += 1
        return self._bracket_of[trial]

    def next_stop(self, trial: int, step: int) -> int | None:
        return self._of(trial).next_stop(trial, step)

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        return self._of(trial).report(trial, step, losses)

    def on_finished(self, trial: int, state: TrialState) -> None:
        self._of(trial).on_finished(trial, state)

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        self._of(trial).replay(trial, curve, state)

    def next_resume(self, may_begin: bool) -> Promotion | None:
        for bracket in self._brackets:
            found = bracket.next_resume(may_begin)
            if isinstance(found, Promotion):
                return found
        return None

    def planned_steps(self, trials: int) -> int | None:
        if trials not in self._planned:  # asked again and again, for a number that hardly changes
            given = Counter(self.bracket(trial) for trial in range(trials))
            each = [bracket.planned_steps(given[number]) for number, bracket in enumerate(self._brackets)]
            whole = [given[number] * self._max_steps for number in range(len(each))]  # of the one that halves nothing
            self._planned[trials] = sum(
                w if planned is None else planned for planned, w in zip(each, whole, strict=True)
            )
        return self._planned[trials]

    def _of(self, trial: int) -> Scheduler:
        return self._brackets[self.bracket(trial)]
