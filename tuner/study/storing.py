"""What a study holds of objectives and of parameters: their values, as whoever opens it with Optuna reads them.

A discrete parameter is stored as a categorical one of its numbers, one on a reverse logarithmic scale as a number
without a scale. Samplers see both as ``sampling`` has them: the index, which has an order; the mirrored value.
Studies of earlier versions hold what samplers see, and are gone on with so: they are not ``plain``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuner.domain.objective import Objective
from tuner.errors import Infeasible
from tuner.space.drawing import as_value
from tuner.space.parameters import Discrete, Float, Int, Parameter, Params, ParamValue, Space
from tuner.study.sampling import decoded, distribution, encoded, marked, unmarked

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


def is_seen_otherwise(p: Parameter) -> bool:
    """Whether samplers see something else of a parameter than its value."""
    return isinstance(p, Discrete) or (isinstance(p, (Float, Int)) and p.reverse)


def stored_distribution(p: Parameter, plain: bool = True) -> BaseDistribution:
    """Return a parameter's distribution as a study holds it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if plain and isinstance(p, Discrete):
        return CategoricalDistribution(p.values)
    if plain and isinstance(p, Float) and p.reverse:
        return FloatDistribution(p.low, p.high)
    if plain and isinstance(p, Int) and p.reverse:
        return IntDistribution(p.low, p.high)
    return distribution(p)


def stored(value: ParamValue, p: Parameter, plain: bool = True) -> Any:
    """Return a parameter's value as a study holds it."""
    return as_value(p, value) if plain and is_seen_otherwise(p) else encoded(value, p)


def value_of(stored: Any, p: Parameter, kind: BaseDistribution | None) -> ParamValue:
    """Return what a study holds, with that distribution, as the parameter's value.

    The distribution matters of parameters that ``is_seen_otherwise``, and is not needed of others.
    """
    if not is_seen_otherwise(p):
        return unmarked(stored)
    if type(kind) is type(distribution(p)) and getattr(kind, "log", False) == _log(p):
        return decoded(stored, p)  # of an earlier version
    return as_value(p, stored)


def store(params: Params, space: Space, plain: bool = True) -> dict[str, Any]:
    """Return parameters as a study holds them; constants are left out."""
    return {p.name: stored(params[p.name], p, plain) for p in space.parameters if p.name in params}


def store_loosely(params: Params) -> dict[str, Any]:
    """Return parameters as a study holds them, if their kinds are not known yet."""
    return {name: marked(value) if isinstance(value, list) else value for name, value in params.items()}


def read(held: Mapping[str, Any], kinds: Mapping[str, BaseDistribution | None], space: Space) -> dict[str, ParamValue]:
    """Return parameters as the model sees them, from what a study holds, in the space's order.

    Args:
        held: Name to what is stored.
        kinds: Name to the distribution that is stored with it.
        space: Their space; what it does not have comes last, as far as it can be read.
    """
    order = {parameter.name: parameter for parameter in space.parameters}
    found = {name: value_of(held[name], p, kinds[name]) for name, p in order.items() if name in held}
    return {**found, **{name: unmarked(value) for name, value in held.items() if name not in order}}


def told_values(values: Mapping[str, float], objectives: Sequence[Objective]) -> list[float] | None:
    """Return what Optuna is told of a trial's objectives, in order; None if there are none, or one is NaN.

    It keeps no NaN: ours stands in the attribute. An infinity of either sign is told as the worst there is.
    """
    ordered = [(objective.goal, values[objective.metric]) for objective in objectives] if values else []
    if not ordered or any(math.isnan(value) for _, value in ordered):
        return None
    return [goal.worst if math.isinf(value) else value for goal, value in ordered]


def suggest(trial: Trial, p: Parameter, plain: bool = True) -> ParamValue:
    """Draw one parameter of a trial, or return what it drew before, or what it was given in the queue.

    Raises:
        Infeasible: It was given a value that the parameter cannot have.
    """
    if p.name in trial._fixed_params:
        trial._fixed_params = {**trial._fixed_params, p.name: _fitted(trial._fixed_params[p.name], p, plain)}
    kind = stored_distribution(p, plain)
    # As suggest_float and the like do, but for their warning of steps that do not come to the upper bound.
    return value_of(trial._suggest(p.name, kind), p, kind)


def _fitted(given: Any, p: Parameter, plain: bool) -> Any:
    """Return what was stored of a point in the queue as one of the parameter's values, stored again."""
    try:
        return stored(as_value(p, unmarked(given) if plain else decoded(given, p)), p, plain)
    except (ValueError, LookupError) as error:
        raise Infeasible(f"the point that was enqueued cannot be tried: {p.name}: {error}") from None


def _log(p: Parameter) -> bool:
    return isinstance(p, (Float, Int)) and p.log
