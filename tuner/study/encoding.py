"""Parameters and objectives as a study holds them, and as Optuna's samplers see them.

A study holds values, as whoever opens it with Optuna reads them: a discrete parameter is stored as a categorical one
of its numbers, one on a reverse logarithmic scale as a number without a scale. A sampler sees of a discrete one the
index of its value, which has an order; of one on a reverse logarithmic scale the value mirrored, ``low + high -
value``.
Studies of earlier versions hold what samplers see, and are gone on with so: they are not ``plain``.

Optuna's categorical choices are None, bool, int, float and str, and it takes ``True`` and ``1`` for
the same; a list, or a choice that equals another one of another type, goes in as JSON text with a
mark in front.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuner.domain.objective import Objective
from tuner.errors import Infeasible
from tuner.space.drawing import as_value, fitted
from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter, Params, ParamValue, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial

MARK = "json:"


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
            count = round((p.top - p.low) / p.step)
            found[p.name] = [fitted(p, p.low + index * p.step) for index in range(count + 1)]
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
    found = {name: value_of(held[name], p, kinds[name]) for name, p in space.by_name.items() if name in held}
    if len(found) == len(held):
        return found
    return {**found, **{name: unmarked(value) for name, value in held.items() if name not in found}}


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


class SamplerView:
    """Translate between what a study holds of trials and what a sampler sees: numbers on the scale of their draw.

    Args:
        parameters: Of the space.
    """

    def __init__(self, parameters: Iterable[Parameter] = ()) -> None:
        self._odd = {p.name: p for p in parameters if is_seen_otherwise(p)}
        self._finished: dict[int, tuple[FrozenTrial, FrozenTrial]] = {}  # what is held and what is seen of it

    def trial(self, trial: FrozenTrial) -> FrozenTrial:
        """Return a trial as a sampler sees it; it takes an infinite evaluation for NaN, whatever its sign."""
        held, seen = self._finished.get(trial._trial_id, (None, trial))
        if held is trial:  # what has finished changes no more, and of thousands each look would take long
            return seen
        seen = self._seen(trial)
        if trial.state.is_finished():
            self._finished[trial._trial_id] = (trial, seen)
        return seen

    def _seen(self, trial: FrozenTrial) -> FrozenTrial:
        odd = {name: p for name, p in self._odd.items() if name in trial.params}
        infinite = any(map(math.isinf, trial.intermediate_values.values()))
        if not odd and not infinite:
            return trial
        seen = copy.copy(trial)
        kinds = trial.distributions
        seen.params = {
            **trial.params,
            **{name: encoded(value_of(trial.params[name], p, kinds[name]), p) for name, p in odd.items()},
        }
        seen.distributions = {**kinds, **{name: distribution(p) for name, p in odd.items()}}
        if infinite:
            curve = trial.intermediate_values
            seen.intermediate_values = {step: math.nan if math.isinf(v) else v for step, v in curve.items()}
        return seen

    def seen_space(self, space: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
        """Return distributions that a study holds as a sampler sees them."""
        return {name: self.seen_distribution(name, kind) for name, kind in space.items()}

    def seen_distribution(self, name: str, kind: BaseDistribution) -> BaseDistribution:
        """Return the distribution of one parameter as a sampler sees it."""
        return distribution(self._odd[name]) if name in self._odd else kind

    def stored_space(self, space: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
        """Return distributions that a sampler sees as a study holds them."""
        return {
            name: stored_distribution(self._odd[name]) if name in self._odd else kind for name, kind in space.items()
        }

    def stored_value(self, name: str, seen: Any) -> Any:
        """Return what a sampler drew as a study holds it."""
        return stored(decoded(seen, self._odd[name]), self._odd[name]) if name in self._odd else seen
