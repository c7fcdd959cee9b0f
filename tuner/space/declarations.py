"""Parameters as they are written in Python: ``tuner.Float(1e-4, 1e-1, log=True)``.

Each is what an entry of a search space file is, and is checked where the file is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar


@dataclass(frozen=True)
class Declaration:
    """A parameter without its name."""

    def entry(self) -> dict[str, Any]:
        """Return it as the file has it; what is left at its default is left out."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain = {key: value for key, value in given.items() if value is not None and value is not False and value != {}}
        return {"type": type(self).__name__.lower(), **plain}


@dataclass(frozen=True)
class Float(Declaration):
    """A number from ``low`` to ``high``, both included.

    Args:
        low: The least value.
        high: The greatest.
        log: Whether it is drawn evenly by its logarithm; ``low`` is then above 0.
        step: Distance of the values, counted from ``low``; None for all numbers between.
        scale: ``reverse_log`` spreads out the values near ``high``, as for a momentum.
        when: The values of other parameters under which it exists; see ``tuner.when``.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    scale: str | None = None
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Int(Declaration):
    """A whole number from ``low`` to ``high``, both included; the rest as of ``Float``."""

    low: int
    high: int
    log: bool = False
    step: int | None = None
    scale: str | None = None
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Discrete(Declaration):
    """One of these numbers; a sampler knows which of them are neighbours."""

    values: Sequence[float]
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Categorical(Declaration):
    """One of these choices, among which there is no order."""

    choices: Sequence[Any]
    when: Mapping[str, Any] = field(default_factory=dict)


P = TypeVar("P", Float, Int, Discrete, Categorical)


def when(parameter: P, **parents: Any) -> P:
    """Return a parameter that exists only under values of others: ``when(Float(0.0, 0.99), optimizer="sgd")``.

    Args:
        parameter: The parameter.
        parents: Names of other parameters, each with a value, a list of values, or ``{"min": 2}`` for a range.
    """
    return replace(parameter, when={**parameter.when, **parents})
