"""Parameters of a search space as frozen values.

Bounds are inclusive, as in Optuna. A parameter with ``when`` exists only in trials in which every
named parameter has one of the given values, or one in the given range; otherwise it is absent from ``params``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

ParamValue = None | bool | int | float | str | list[Any]

Params = Mapping[str, ParamValue]


def identity(value: Any, loose: bool = False) -> str:
    """Return a text that equal values of one type share, also in lists; if it is loose, 1 and 1.0 share theirs."""
    if isinstance(value, list):
        return f"[{', '.join(identity(item, loose) for item in value)}]"
    if loose and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT:
        value = float(value)
    return repr(value or type(value)())  # -0.0 is 0.0


_EXACT = 2**53


@dataclass(frozen=True)
class Range:
    """The numbers from ``min`` to ``max``, both included; None for no bound."""

    min: float | int | None = None
    max: float | int | None = None

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        if self.min is None or self.max is None:
            return f"at least {self.min}" if self.max is None else f"at most {self.max}"
        return f"from {self.min} to {self.max}"


Condition = Mapping[str, tuple[ParamValue, ...] | Range]

"""Parent's name to the values of it under which a parameter exists; all parents must agree."""


@dataclass(frozen=True)
class Float:
    """A number between ``low`` and ``high``, on a grid if ``step`` is given.

    Attributes:
        log: Sampled uniformly in its logarithm (``low`` above 0, no ``step``).
        reverse: With ``log``, mirrored: values near ``high`` are spread out instead of those near ``low``.
    """

    name: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: Condition = field(default_factory=dict)
    reverse: bool = False

    @cached_property
    def top(self) -> float:
        """The highest value: ``high``, or the last step below it.

        In decimals, as numbers are written and as Optuna has it: in binary 0.1 and two steps of 0.1 are above 0.3.
        """
        if self.step is None:
            return self.high
        low, high, step = (Decimal(str(number)) for number in (self.low, self.high, self.step))
        return float(low + (high - low) // step * step)


@dataclass(frozen=True)
class Int:
    """A whole number between ``low`` and ``high`` in steps of ``step``; ``log`` and ``reverse`` as of ``Float``."""

    name: str
    low: int
    high: int
    log: bool = False
    step: int = 1
    when: Condition = field(default_factory=dict)
    reverse: bool = False

    @property
    def top(self) -> int:
        """The highest value: ``high``, or the last step below it."""
        return self.low + (self.high - self.low) // self.step * self.step


@dataclass(frozen=True)
class Discrete:
    """One of ``values``, numbers in ascending order; a sampler knows which of them are neighbours."""

    name: str
    values: tuple[int | float, ...]
    when: Condition = field(default_factory=dict)


@dataclass(frozen=True)
class Categorical:
    """One of ``choices``, each a JSON value that is no mapping; lists are allowed."""

    name: str
    choices: tuple[Any, ...]
    when: Condition = field(default_factory=dict)

    @cached_property
    def by_identity(self) -> Mapping[str, Any]:
        """Each choice by its identity; then by that of the number which it equals, if no other choice is that."""
        exact = {identity(choice): choice for choice in self.choices}
        return {**{identity(choice, loose=True): choice for choice in reversed(self.choices)}, **exact}


Parameter = Float | Int | Discrete | Categorical


@dataclass(frozen=True)
class Space:
    """The parameters in the order in which they are sampled (parents first), and the constants."""

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, ParamValue] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, then of the constants."""
        return (*(parameter.name for parameter in self.parameters), *self.constants)

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """Each parameter by its name."""
        return {parameter.name: parameter for parameter in self.parameters}

    def __post_init__(self) -> None:
        twice = sorted(name for name, count in Counter(self.names).items() if count > 1)
        if twice:
            raise ValueError(f"defined twice: {', '.join(twice)}")
