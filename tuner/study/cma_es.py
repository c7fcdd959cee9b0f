"""Optuna's CMA-ES, which also begins from earlier trials that have more parameters than it searches."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Collection
from typing import Any

import optuna
from optuna.trial import FrozenTrial


class CmaEsSampler(optuna.samplers.CmaEsSampler):
    """Take of each earlier trial what CMA-ES searches: numbers without a condition.

    Optuna's own takes those trials alone that have these parameters and no others, and raises if there are none.
    """

    _source_trials: list[FrozenTrial] | None

    def after_trial(self, *told: Any, **named: Any) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Constraints have been set")  # it was said before the sweep
            super().after_trial(*told, **named)

    def _init_optimizer(self, trans: Any, *others: Any) -> Any:
        names = trans._search_space.keys()
        found = [_part(trial, names) for trial in self._source_trials or () if names <= trial.params.keys()]
        self._source_trials = found or None
        return super()._init_optimizer(trans, *others)


def _part(trial: FrozenTrial, names: Collection[str]) -> FrozenTrial:
    part = copy.copy(trial)
    part.params = {name: trial.params[name] for name in names}
    part.distributions = {name: trial.distributions[name] for name in names}
    return part
