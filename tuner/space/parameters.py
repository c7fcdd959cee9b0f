"""Parameters of a search space as frozen values.

Bounds are inclusive, as in Optuna. A parameter with ``when`` exists only in trials in which every
named parameter has one of the given values; otherwise it is absent from ``params``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.values import ParamValue

Condition = Mapping[str, tuple[ParamValue, ...]]
"""Parent's name to the values of it under which a parameter exists; all parents must agree."""


@dataclass(frozen=True)
class Float:
    """A number between ``low`` and ``high``, on a grid where ``step`` is given.

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


Parameter = Float | Int | Discrete | Categorical


@dataclass(frozen=True)
class Space:
    """The parameters in the order in which they are sampled (parents first), and the constants."""

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, ParamValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [parameter.name for parameter in self.parameters]
        names += list(self.constants)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"defined twice: {', '.join(twice)}")
