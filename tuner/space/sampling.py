"""From a space to a trial's parameters, through Optuna, and back.

Optuna's categorical choices are None, bool, int, float and str, and it takes ``True`` and ``1`` for
the same; a list, or a choice that equals another one of another type, goes in as JSON text with a
mark in front.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tuner.space.parameters import Categorical, Float, Int, Parameter, Space
from tuner.values import Params, ParamValue

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

_MARK = "json:"


def sample(trial: Trial, space: Space) -> dict[str, ParamValue]:
    """Draw a trial's parameters, parents first; one whose condition does not hold is absent.

    Returns:
        Parameters, then constants.
    """
    drawn: dict[str, ParamValue] = {}
    for parameter in space.parameters:
        if holds(parameter, drawn):
            drawn[parameter.name] = _draw(trial, parameter)
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
    return {name: _decoded(stored[name]) for name in names}


def encode(params: Params, space: Space) -> dict[str, Any]:
    """Return parameters as Optuna stores them; constants are left out."""
    found = {}
    for parameter in space.parameters:
        if parameter.name in params:
            value = params[parameter.name]
            found[parameter.name] = _encoded(value, parameter) if isinstance(parameter, Categorical) else value
    return found


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of each parameter."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for p in space.parameters:
        if isinstance(p, Float):
            found[p.name] = FloatDistribution(p.low, p.high, log=p.log, step=p.step)
        elif isinstance(p, Int):
            found[p.name] = IntDistribution(p.low, p.high, log=p.log, step=p.step)
        else:
            found[p.name] = CategoricalDistribution([_encoded(choice, p) for choice in p.choices])
    return found


def grid(space: Space) -> dict[str, list[Any]]:
    """Return every value of each parameter, for a grid.

    Raises:
        ValueError: A number has no step.
    """
    found: dict[str, list[Any]] = {}
    for p in space.parameters:
        if isinstance(p, Categorical):
            found[p.name] = [_encoded(choice, p) for choice in p.choices]
        elif isinstance(p, Int):
            found[p.name] = list(range(p.low, p.high + 1, p.step))
        elif p.step is None:
            raise ValueError(f"{p.name} has no step, so its values cannot be listed")
        else:
            count = math.floor((p.high - p.low) / p.step + 1e-9)
            found[p.name] = [p.low + index * p.step for index in range(count + 1)]
    return found


def _draw(trial: Trial, parameter: Parameter) -> ParamValue:
    if isinstance(parameter, Float):
        return trial.suggest_float(
            parameter.name, parameter.low, parameter.high, log=parameter.log, step=parameter.step
        )
    if isinstance(parameter, Int):
        return trial.suggest_int(parameter.name, parameter.low, parameter.high, log=parameter.log, step=parameter.step)
    choices = [_encoded(choice, parameter) for choice in parameter.choices]
    return _decoded(trial.suggest_categorical(parameter.name, choices))


def _encoded(value: ParamValue, parameter: Categorical) -> Any:
    alike = [choice for choice in parameter.choices if choice == value and type(choice) is not type(value)]
    marked = isinstance(value, str) and value.startswith(_MARK)
    return _MARK + json.dumps(value) if isinstance(value, list) or alike or marked else value


def _decoded(value: Any) -> ParamValue:
    if isinstance(value, str) and value.startswith(_MARK):
        found: ParamValue = json.loads(value[len(_MARK) :])
        return found
    plain: ParamValue = value
    return plain


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
