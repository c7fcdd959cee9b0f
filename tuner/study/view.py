"""What samplers see of trials whose study holds plain values: numbers on the scale on which they are drawn.

See ``tuner.study.storing`` for which parameters those are.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from tuner.space import Parameter
from tuner.study.sampling import decoded, distribution, encoded
from tuner.study.storing import is_seen_otherwise, stored, stored_distribution, value_of


class SamplerView:
    """Translate between what a study holds and what a sampler sees.

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
