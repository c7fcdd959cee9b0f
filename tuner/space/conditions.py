"""Conditions under which a parameter exists: fitted to what its parents can be, whether they hold, a walk by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.space.drawing import as_value, fitted, in_quotes, is_number, listed
from tuner.space.parameters import (
    Categorical,
    Condition,
    Discrete,
    Float,
    Parameter,
    Params,
    ParamValue,
    Range,
    Space,
    identity,
)
from tuner.text import shortened

Allowed = tuple[ParamValue, ...] | Range
"""Values of a parent, or the range of them, under which a parameter exists."""

Choose = Callable[[Parameter], ParamValue]
"""Returns the value of a parameter."""

Walk = Callable[[Choose], dict[str, ParamValue]]
"""Goes through a space, choosing each parameter that there is; returns parameters, then constants."""


def walk(space: Space, choose: Choose) -> dict[str, ParamValue]:
    """Choose a value for each parameter that there is, parents first; one whose condition does not hold is absent.

    Args:
        space: The parameters.
        choose: Returns the value of a parameter.

    Returns:
        Parameters, then constants.
    """
    drawn: dict[str, ParamValue] = {}
    for parameter in space.parameters:
        if holds(parameter, drawn):
            drawn[parameter.name] = choose(parameter)
    return {**drawn, **space.constants}


def holds(parameter: Parameter, drawn: Params) -> bool:
    """Whether a parameter exists beside the values drawn so far."""
    return all(parent in drawn and is_allowed(drawn[parent], allowed) for parent, allowed in parameter.when.items())


def is_allowed(value: ParamValue, allowed: Allowed) -> bool:
    """Whether a parent's value is one under which a parameter exists."""
    return value in allowed if isinstance(allowed, Range) else identity(value) in map(identity, allowed)


def said(allowed: Allowed) -> str:
    """Return a condition in words: ``1 or 2``, ``at least 2``."""
    return str(allowed) if isinstance(allowed, Range) else " or ".join(map(str, allowed))


def fitted_condition(parent: Parameter, allowed: Allowed) -> Allowed:
    """Return a condition with the parent's own values: 0.3 is 0.30000000000000004 if that is what steps come to.

    Raises:
        ValueError: The parent can never be so; says why, and what it can be.
    """
    if isinstance(allowed, Range):
        bounds = Range(_own(parent, allowed.min), _own(parent, allowed.max))
        _check_range(parent, bounds)
        return bounds
    if isinstance(parent, Float) and parent.step is None and parent.low < parent.high and allowed:
        raise ValueError(
            f"{parent.name} is continuous, so it is practically never {shortened(allowed[0])}: expected a range, as "
            f"{{{parent.name}: {{min: {shortened(allowed[0])}}}}}"
        )
    found: list[ParamValue] = []
    for one in allowed:
        try:
            found.append(as_value(parent, one))
        except ValueError:
            never = f"{parent.name} never is {shortened(one)}{in_quotes(parent, one)}"
            raise ValueError(f"{never} ({can_be(parent)})") from None
    return tuple(found)


def with_fitted_conditions(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Return parameters of an earlier version, their conditions fitted; one that can never hold stays as it is."""
    known = {parameter.name: parameter for parameter in parameters}
    return tuple(replace(p, when=dict(_fitted_if_possible(p.when, known))) if p.when else p for p in parameters)


def can_be(parameter: Parameter) -> str:
    """Return what a parameter can be, for a message."""
    if isinstance(parameter, Categorical):
        return f"its choices are {listed(parameter.choices)}"
    if isinstance(parameter, Discrete):
        return f"its values are {listed(parameter.values)}"
    steps = "" if parameter.step in (None, 1) else f" in steps of {parameter.step}"
    return f"it goes from {parameter.low} to {parameter.high}{steps}"


def contradictions(parameters: Sequence[Parameter]) -> Iterator[tuple[str, str]]:
    """Yield parameters that never exist, because a parent needs what they rule out: the name, and why.

    Args:
        parameters: Parents first, with fitted conditions.
    """
    needs: dict[str, Condition] = {}
    for parameter in parameters:
        of_all: dict[str, Allowed] = dict(parameter.when)
        for parent in parameter.when:
            for name, allowed in needs.get(parent, {}).items():
                both = _both(of_all[name], allowed) if name in of_all else allowed
                if both == ():
                    yield (
                        parameter.name,
                        f"needs {name} {said(of_all[name])}, and {parent} is there only if {name} is {said(allowed)}",
                    )
                    both = allowed
                of_all[name] = both
        needs[parameter.name] = of_all


def _both(one: Allowed, other: Allowed) -> Allowed:
    """Return what both allow; an empty tuple if that is nothing."""
    if isinstance(one, Range) and isinstance(other, Range):
        low = max((bound for bound in (one.min, other.min) if bound is not None), default=None)
        high = min((bound for bound in (one.max, other.max) if bound is not None), default=None)
        return () if low is not None and high is not None and low > high else Range(low, high)
    values, limit = (other, one) if isinstance(one, Range) else (one, other)
    assert not isinstance(values, Range)
    if isinstance(limit, Range):
        return tuple(value for value in values if value in limit)
    there = set(map(identity, limit))
    return tuple(value for value in values if identity(value) in there)


def _fitted_if_possible(when: Condition, known: Mapping[str, Parameter]) -> Iterator[tuple[str, Allowed]]:
    for parent, allowed in when.items():
        try:
            yield parent, fitted_condition(known[parent], allowed) if parent in known else allowed
        except ValueError:
            yield parent, allowed


def _own(parent: Parameter, bound: float | int | None) -> Any:
    """Return a bound as the parent's own number, if it has one there."""
    if bound is None or isinstance(parent, Categorical):
        return bound
    try:
        return as_value(parent, bound)
    except ValueError:
        return bound


def _check_range(parent: Parameter, allowed: Range) -> None:
    if isinstance(parent, Categorical) and not any(map(is_number, parent.choices)):
        raise ValueError(f"{parent.name} is no number, so it has no range ({can_be(parent)})")
    if not _reaches(parent, allowed):
        raise ValueError(f"{parent.name} never is {allowed} ({can_be(parent)})")


def _reaches(parent: Parameter, allowed: Range) -> bool:
    """Whether a parent has values in a range, of a continuous one more than a single point."""
    if isinstance(parent, (Categorical, Discrete)):
        return any(value in allowed for value in (parent.choices if isinstance(parent, Categorical) else parent.values))
    low = parent.low if allowed.min is None else max(parent.low, allowed.min)
    high = parent.high if allowed.max is None else min(parent.high, allowed.max)
    if low > high:
        return False
    if isinstance(parent, Float) and parent.step is None:
        return low < high or parent.low == parent.high
    nearest = fitted(parent, low)  # which may be the step below
    return nearest in allowed or fitted(parent, nearest + (parent.step or 1)) in allowed
