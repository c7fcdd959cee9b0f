"""The words of a sweep as frozen values; those that cross a process border do so as JSON.

Nothing here imports more than the standard library, so that every stage may use it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

ParamValue = None | bool | int | float | str | list[Any]
"""What a parameter can hold: a JSON value that is no mapping."""

Params = Mapping[str, ParamValue]


class Goal(str, Enum):
    """Which way an objective improves."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    def loss(self, value: float) -> float:
        """Return ``value`` as a number of which less is better."""
        return value if self is Goal.MINIMIZE else -value

    @property
    def worst(self) -> float:
        """The value that loses against every other."""
        return math.inf if self is Goal.MINIMIZE else -math.inf

    def best(self, values: Sequence[float]) -> float:
        """Return the best of ``values``; NaN loses against every number.

        Raises:
            ValueError: ``values`` is empty.
        """
        numbers = [value for value in values if not math.isnan(value)]
        if not numbers:
            return values[0] if values else min(values)
        return min(numbers) if self is Goal.MINIMIZE else max(numbers)


class TrialState(str, Enum):
    """Where a trial stands, as users see it (the study knows fewer states)."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    INTERRUPTED = "INTERRUPTED"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"

    @property
    def settled(self) -> bool:
        """Whether the trial will never run again."""
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Verdict(str, Enum):
    """What a scheduler says to a report."""

    GO_ON = "go on"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class Curve:
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


@dataclass(frozen=True)
class Objective:
    """An evaluation metric, which way it improves, and what counts of its curve.

    Attributes:
        folder: Of a command: the folder, relative to the trial's, whose evaluations count; empty for the first
            that has the metric.
    """

    metric: str
    goal: Goal = Goal.MINIMIZE
    of: Curve = field(default_factory=Curve)
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
    of: Curve = field(default_factory=Curve)

    def value(self, values: Sequence[float]) -> float:
        """Return what counts of the metric's evaluations, in step order.

        Raises:
            ValueError: ``values`` is empty.
        """
        if self.of.rule == "best" and values:
            return min(values, key=self.violation)
        return self.of.value(values, Goal.MINIMIZE)

    def violation(self, value: float) -> float:
        """Return by how much ``value`` is beyond the bound: 0 or less where it is allowed, NaN never is."""
        if math.isnan(value):
            return math.inf
        beyond = [value - self.high] if self.high is not None else []
        beyond += [self.low - value] if self.low is not None else []
        return max(beyond, default=0.0)

    def __str__(self) -> str:
        bounds = [f"at least {self.low:g}"] if self.low is not None else []
        bounds += [f"at most {self.high:g}"] if self.high is not None else []
        return " and ".join(bounds)


@dataclass(frozen=True)
class Evaluation:
    """The scalars of one event of an evaluation's event file.

    Attributes:
        step: The global step that was evaluated.
        time: When the event was written, in seconds since 1970, as the event has it.
        folder: The folder of the event file relative to the trial's, ``eval`` or ``eval_NAME``;
            an empty string for what training itself writes.
        scalars: Tag to value; each a float32 widened to a double, with the summary's own tag.
        aside: Whether it is known to be another evaluation than the trial's own: of the training rows, for
            instance, by a hook of the model.
    """

    step: int
    time: float
    folder: str
    scalars: Mapping[str, float]
    aside: bool = False


@dataclass(frozen=True)
class FinishedTrial:
    """A trial of another sweep, or of another tool, from which a sampler may learn.

    Attributes:
        params: Parameters and constants; values may be text, as a table has them.
        values: Metric to value: objectives, and what constraints are on.
    """

    params: Mapping[str, Any]
    values: Mapping[str, float]


@dataclass(frozen=True)
class Source:
    """Where finished trials come from.

    Attributes:
        name: As the user wrote it.
        trials: Those that are complete.
        notes: What was left out when they were read, a line each.
    """

    name: str
    trials: tuple[FinishedTrial, ...]
    notes: tuple[str, ...] = ()
