"""From a space to a trial's parameters, through Optuna, and back.

What Optuna stores of a parameter is its value, with these exceptions: of a discrete one the index of
its value; of one on a reverse logarithmic scale the value mirrored, ``low + high - value``.
Optuna's categorical choices are None, bool, int, float and str, and it takes ``True`` and ``1`` for
the same; a list, or a choice that equals another one of another type, goes in as JSON text with a
mark in front.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter, Space
from tuner.values import Params, ParamValue

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

Choose = Callable[[Parameter], ParamValue]
"""Returns the value of a parameter."""

Walk = Callable[[Choose], dict[str, ParamValue]]
"""Goes through a space, choosing each parameter that there is; returns parameters, then constants."""

_MARK = "json:"


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
    return all(
        parent in drawn and any(_same(drawn[parent], value) for value in values)
        for parent, values in parameter.when.items()
    )


def decode(stored: Mapping[str, Any], space: Space) -> dict[str, ParamValue]:
    """Return parameters as the model sees them, from what Optuna stored, in the space's order."""
    order = {parameter.name: parameter for parameter in space.parameters}
    names = [name for name in order if name in stored] + [name for name in stored if name not in order]
    return {name: _decoded(stored[name], order.get(name)) for name in names}


def encode(params: Params, space: Space) -> dict[str, Any]:
    """Return parameters as Optuna stores them; constants are left out."""
    return {p.name: encoded(params[p.name], p) for p in space.parameters if p.name in params}


def encode_loosely(params: Params) -> dict[str, Any]:
    """Return parameters as Optuna stores them, where their kinds are not known yet."""
    marked = {k: _MARK + json.dumps(v) for k, v in params.items() if isinstance(v, list)}
    return {**params, **marked}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of each parameter."""
    return {parameter.name: distribution(parameter) for parameter in space.parameters}


def stored_otherwise(p: Parameter) -> bool:
    """Whether Optuna stores something else of a parameter than its value."""
    return isinstance(p, Discrete) or (isinstance(p, (Float, Int)) and p.reverse)


def distribution(p: Parameter) -> BaseDistribution:
    """Return Optuna's distribution of a parameter."""
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
    """Return every value of each parameter as Optuna stores it, for a grid.

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


def suggest(trial: Trial, p: Parameter) -> ParamValue:
    """Draw one parameter of a trial, or return what it drew before."""
    if isinstance(p, Float):
        stored: Any = trial.suggest_float(p.name, p.low, p.high, log=p.log, step=p.step)
    elif isinstance(p, Int):
        stored = trial.suggest_int(p.name, p.low, p.high, log=p.log, step=p.step)
    elif isinstance(p, Discrete):
        stored = trial.suggest_int(p.name, 0, len(p.values) - 1)
    else:
        stored = trial.suggest_categorical(p.name, [encoded(choice, p) for choice in p.choices])
    return _decoded(stored, p)


def encoded(value: ParamValue, parameter: Parameter) -> Any:
    """Return a parameter's value as Optuna stores it."""
    if isinstance(parameter, Categorical):
        alike = [choice for choice in parameter.choices if choice == value and type(choice) is not type(value)]
        marked = isinstance(value, str) and value.startswith(_MARK)
        return _MARK + json.dumps(value) if isinstance(value, list) or alike or marked else value
    if isinstance(parameter, Discrete):
        assert isinstance(value, (int, float))
        return min(range(len(parameter.values)), key=lambda index: abs(parameter.values[index] - value))
    return _mirrored(value, parameter) if parameter.reverse else value


def _decoded(stored: Any, parameter: Parameter | None) -> ParamValue:
    if isinstance(parameter, Discrete):
        return parameter.values[int(stored)]
    if isinstance(parameter, (Float, Int)) and parameter.reverse:
        stored = _mirrored(stored, parameter)
    if isinstance(stored, str) and stored.startswith(_MARK):
        stored = json.loads(stored[len(_MARK) :])
    value: ParamValue = stored
    return value


def _mirrored(value: Any, parameter: Float | Int) -> float | int:
    """Return ``value`` mirrored in the middle of the range, never out of it by rounding."""
    mirrored: float | int = parameter.low + parameter.high - value
    return min(max(mirrored, parameter.low), parameter.high)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
