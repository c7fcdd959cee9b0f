"""From a space to a trial's parameters, through Optuna's samplers, and back; what a study holds is ``storing``.

What a sampler sees of a parameter is its value, with these exceptions: of a discrete one the index of
its value; of one on a reverse logarithmic scale the value mirrored, ``low + high - value``.
Optuna's categorical choices are None, bool, int, float and str, and it takes ``True`` and ``1`` for
the same; a list, or a choice that equals another one of another type, goes in as JSON text with a
mark in front.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tuner.space.conditions import holds
from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter, Params, ParamValue, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Choose = Callable[[Parameter], ParamValue]
"""Returns the value of a parameter."""

Walk = Callable[[Choose], dict[str, ParamValue]]
"""Goes through a space, choosing each parameter that there is; returns parameters, then constants."""

MARK = "json:"


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


def encode(params: Params, space: Space) -> dict[str, Any]:
    """Return parameters as samplers see them; constants are left out."""
    return {p.name: encoded(params[p.name], p) for p in space.parameters if p.name in params}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of each parameter, as samplers see it."""
    return {parameter.name: distribution(parameter) for parameter in space.parameters}


def distribution(p: Parameter) -> BaseDistribution:
    """Return Optuna's distribution of a parameter, as samplers see it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that steps do not come to the upper bound: it was said
        if isinstance(p, Float):
            return FloatDistribution(p.low, p.high, log=p.log, step=p.step)
        if isinstance(p, Int):
            return IntDistribution(p.low, p.high, log=p.log, step=p.step)
    if isinstance(p, Discrete):
        return IntDistribution(0, len(p.values) - 1)
    return CategoricalDistribution([encoded(choice, p) for choice in p.choices])


def grid(space: Space) -> dict[str, list[Any]]:
    """Return every value of each parameter as samplers see it, for a grid.

    Raises:
        ValueError: A number has no step.
    """
    found: dict[str, list[Any]] = {}
    for p in space.parameters:
        if isinstance(p, Categorical):
            found[p.name] = [encoded(choice, p) for choice in p.choices]
        elif isinstance(p, Int):
            found[p.name] = list(range(p.low, p.high + 1, p.step))
        elif isinstance(p, Discrete):
            found[p.name] = list(range(len(p.values)))
        elif p.step is None:
            raise ValueError(f"{p.name} has no step, so its values cannot be listed")
        else:
            count = math.floor((p.high - p.low) / p.step + 1e-9)
            found[p.name] = [p.low + index * p.step for index in range(count + 1)]
    return found


def grid_points(space: Space) -> int:
    """Return how many points the grid of a space has."""
    return math.prod(map(len, grid(space).values()))


def encoded(value: ParamValue, parameter: Parameter) -> Any:
    """Return a parameter's value as samplers see it."""
    if isinstance(parameter, Categorical):
        alike = [choice for choice in parameter.choices if choice == value and type(choice) is not type(value)]
        looks_so = isinstance(value, str) and value.startswith(MARK)
        return marked(value) if isinstance(value, list) or alike or looks_so else value
    if isinstance(parameter, Discrete):
        assert isinstance(value, (int, float))
        return min(range(len(parameter.values)), key=lambda index: abs(parameter.values[index] - value))
    return _mirrored(value, parameter) if parameter.reverse else value


def decoded(seen: Any, parameter: Parameter | None) -> ParamValue:
    """Return what samplers see as the parameter's value; without the parameter, as far as it can be told."""
    if isinstance(parameter, Discrete):
        return parameter.values[int(seen)]
    if isinstance(parameter, (Float, Int)) and parameter.reverse:
        seen = _mirrored(seen, parameter)
    return unmarked(seen)


def marked(value: ParamValue) -> str:
    """Return a value that is no choice of Optuna's as text that is one."""
    return MARK + json.dumps(value)


def unmarked(choice: Any) -> ParamValue:
    """Return a choice of Optuna's as the value that it stands for."""
    found: ParamValue = (
        json.loads(choice[len(MARK) :]) if isinstance(choice, str) and choice.startswith(MARK) else choice
    )
    return found


def _mirrored(value: Any, parameter: Float | Int) -> float | int:
    """Return ``value`` mirrored in the middle of the range, never out of it by rounding."""
    mirrored: float | int = parameter.low + parameter.high - value
    return min(max(mirrored, parameter.low), parameter.high)
