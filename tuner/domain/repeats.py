"""Trials that train the same parameters with several seeds, and what they have come to together.

Each is a trial of its own; all but the first carry the tag ``tuner.repeat_of``. What comes in are
finished trials, in any order; what goes out is the mean by which a set of parameters is judged.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tuner.domain.objective import Goal
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import REPEAT_OF
from tuner.domain.trial import TrialRecord, TrialState


def first_of(number: int, tags: Mapping[str, str]) -> int:
    """Return the number of the trial that has drawn a trial's parameters: its own, unless it repeats."""
    return int(tags.get(REPEAT_OF, number))


@dataclass(frozen=True)
class SeedGroup:
    """The finished trials of one set of parameters.

    Attributes:
        first: Number of the trial that has drawn the parameters.
        values: Number of each complete and feasible trial to its objective.
        others: Numbers of those that failed, were pruned or are infeasible.
        pruned: Whether any of them was pruned.
    """

    first: int
    values: Mapping[int, float] = field(default_factory=dict)
    others: frozenset[int] = frozenset()
    pruned: bool = False

    @property
    def mean(self) -> float | None:
        """Mean objective of the complete trials; None if there are none."""
        values = list(self.values.values())
        if len(values) < 2:
            return float(values[0]) if values else None
        return statistics.fmean(values) if all(map(math.isfinite, values)) else sum(values) / len(values)

    @property
    def spread(self) -> float | None:
        """Standard deviation (n - 1) of their objectives; None if there are fewer than two."""
        values = list(self.values.values())
        if len(values) < 2:
            return None
        return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan

    @property
    def typical(self) -> int:
        """Number of the complete trial nearest to the mean, the first of equals; of the first if there is none."""
        if len(self.values) == 1:
            return next(iter(self.values))
        mean = self.mean
        if mean is None or not math.isfinite(mean):
            return min(self.values, default=self.first)
        exact = {number: Fraction(value) for number, value in self.values.items()}
        middle = sum(exact.values(), Fraction()) / len(exact)  # of two, both are as near, whatever a float rounds to
        return min(exact, key=lambda number: (abs(exact[number] - middle), number))

    def row(self) -> dict[str, float | int | None]:
        """Return what rows of its trials show of it."""
        return {"mean": self.mean, "spread": self.spread, "seeds": len(self.values)}

    def __str__(self) -> str:
        if self.mean is None:
            return "no trial complete"
        if self.spread is None:
            return f"mean {self.mean:.6g} of one seed"
        return f"mean {self.mean:.6g}, spread {self.spread:.3g} over {len(self.values)} seeds"


class SeedGroups:
    """Judge sets of parameters by the mean of their trials.

    A group counts when all of its trials are complete. If each set has one trial, it is its own group.

    Args:
        repeats: Trials of a group.
        goal: Of the objective.

    Attributes:
        best: The best group whose trials are all complete, the first of equals, or None.
    """

    def __init__(self, repeats: int, goal: Goal) -> None:
        self._repeats = repeats
        self._goal = goal
        self._groups: dict[int, SeedGroup] = {}
        self.best: SeedGroup | None = None

    def __iter__(self) -> Iterator[SeedGroup]:
        return iter(self._groups.values())

    def group_of(self, number: int, tags: Mapping[str, str]) -> SeedGroup:
        """Return the group of a trial."""
        first = first_of(number, tags)
        return self._groups.get(first, SeedGroup(first))

    def finish(self, number: int, tags: Mapping[str, str], state: TrialState, value: float | None) -> SeedGroup:
        """Take a trial that will not run again; return its group as it is now.

        Args:
            number: Of the trial; taken again, it changes nothing.
            tags: Of its run.
            state: COMPLETE, PRUNED or FAIL.
            value: Its objective; None if it has none that counts, because it is infeasible for instance.
        """
        group = self.group_of(number, tags)
        if number in group.values or number in group.others:
            return group
        if state is TrialState.COMPLETE and value is not None and not math.isnan(value):
            group = replace(group, values={**group.values, number: value})
        else:
            pruned = group.pruned or state is TrialState.PRUNED
            group = replace(group, others=group.others | {number}, pruned=pruned)
        self._groups[group.first] = group
        if self.is_complete(group) and self._better(group, self.best):
            self.best = group
        return group

    def is_complete(self, group: SeedGroup) -> bool:
        """Whether all trials of a group are complete."""
        return len(group.values) >= self._repeats

    def is_decided(self, group: SeedGroup) -> bool:
        """Whether it is known what becomes of a group: all have finished, or one was pruned and no mean is to come."""
        return group.pruned or len(group.values) + len(group.others) >= self._repeats

    def best_of_all(self) -> SeedGroup | None:
        """Return the best group; if none is whole, the best of those with a complete trial."""
        found = self.best
        if found is None:
            for group in self:
                found = group if group.values and self._better(group, found) else found
        return found

    def _better(self, group: SeedGroup, than: SeedGroup | None) -> bool:
        if group.mean is None or not math.isfinite(group.mean):
            return False
        if than is None or than.mean is None:
            return True
        loss, other = self._goal.loss(group.mean), self._goal.loss(than.mean)
        return loss < other or (loss == other and group.first < than.first)


def groups_of(records: Iterable[TrialRecord], spec: SweepSpec) -> SeedGroups:
    """Return the sets of parameters of a sweep's finished trials, judged by the first objective."""
    objective = spec.objectives[0]
    groups = SeedGroups(spec.search.repeats, objective.goal)
    for record in records:
        if record.state.is_finished:
            value = record.values.get(objective.metric) if record.feasible else None
            groups.finish(record.number, record.tags, record.state, value)
    return groups
