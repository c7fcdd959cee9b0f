"""What a sweep optimises: objectives, constraints, and how a curve becomes one value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Goal(str, Enum):
    """Which way an objective improves.

    What is no finite number, NaN or an infinity of either sign, loses against every number.
    """

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    def loss(self, value: float) -> float:
        """Return ``value`` as a number of which lower is better; NaN if it is infinite."""
        if math.isinf(value):
            return math.nan
        return value if self is Goal.MINIMIZE else -value

    @property
    def worst(self) -> float:
        """The value that loses against every other."""
        return math.inf if self is Goal.MINIMIZE else -math.inf

    def best(self, values: Sequence[float]) -> float:
        """Return the best of ``values``: the first if none is a finite number.

        Raises:
            ValueError: ``values`` is empty.
        """
        numbers = [value for value in values if math.isfinite(value)]
        if not values:
            raise ValueError("there is no value of which to return the best")
        if not numbers:
            return values[0]
        return min(numbers) if self is Goal.MINIMIZE else max(numbers)


def comparable(losses: Sequence[float]) -> tuple[float, ...]:
    """Return losses in which NaN loses against every number."""
    return tuple(math.inf if math.isnan(loss) else loss for loss in losses)


@dataclass(frozen=True)
class Aggregation:
    """How one number comes out of a trial's curve of evaluations.

    Attributes:
        rule: ``last``, ``best`` or ``mean`` (of the last ``count`` evaluations).
        count: How many evaluations the mean is of; 1 for the other rules.
    """

    rule: str = "last"
    count: int = 1

    def value(self, values: Sequence[float], goal: Goal) -> float:
        """Return the objective of a trial whose evaluations gave ``values``, in step order.

        Raises:
            ValueError: ``values`` is empty.
        """
        if not values:
            raise ValueError("a curve without evaluations has no objective")
        if self.rule == "best":
            return goal.best(values)
        if self.rule == "mean":
            tail = values[-self.count :]
            return math.fsum(tail) / len(tail) if all(map(math.isfinite, tail)) else sum(tail) / len(tail)
        return values[-1]

    def __str__(self) -> str:
        return f"mean of the last {self.count}" if self.rule == "mean" else self.rule


@dataclass(frozen=True)
class Objective:
    """An evaluation metric, which way it improves, and what counts of its curve.

    Attributes:
        folder: Of a command: the folder, relative to the trial's, whose evaluations count; empty for the first
            that has the metric.
    """

    metric: str
    goal: Goal = Goal.MINIMIZE
    of: Aggregation = field(default_factory=Aggregation)
    folder: str = ""


@dataclass(frozen=True)
class Constraint:
    """A bound on an evaluation metric: a trial beyond it is infeasible, whatever its objective.

    Attributes:
        low: The least value that is allowed, or None.
        high: The greatest, or None.
        of: What counts of the metric's curve; ``best`` is the value nearest to what is allowed.
    """

    metric: str
    low: float | None = None
    high: float | None = None
    of: Aggregation = field(default_factory=Aggregation)

    def value(self, values: Sequence[float]) -> float:
        """Return what counts of the metric's evaluations, in step order.

        Raises:
            ValueError: ``values`` is empty.
        """
        if self.of.rule == "best" and values:
            return min(values, key=self.violation)
        return self.of.value(values, Goal.MINIMIZE)

    def violation(self, value: float) -> float:
        """Return by how much ``value`` is beyond the bound: 0 or less if it is allowed; only finite numbers are."""
        if not math.isfinite(value):
            return math.inf
        beyond = [value - self.high] if self.high is not None else []
        beyond += [self.low - value] if self.low is not None else []
        return max(beyond, default=0.0)

    def __str__(self) -> str:
        bounds = [f"at least {self.low:g}"] if self.low is not None else []
        bounds += [f"at most {self.high:g}"] if self.high is not None else []
        return " and ".join(bounds)
