"""Optuna's quasi-random sampler, by which each trial has the point of its own place in the sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import QMCSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuner.space import Space
from tuner.study.encoding import distribution


class QuasiRandomSampler(QMCSampler):
    """Draw the point of a trial's place among all, and what depends on a condition at random.

    Optuna's own counts its draws in the study: one that was cut off would shift all that come after it.

    Args:
        space: The parameters; the model's own ``space(trial)`` lists none, and is known once a trial has finished.
        sequence_seed: Of the sequence, the same for all trials.
        seed: Of what is drawn at random.
        options: Of Optuna's.
    """

    def __init__(self, space: Space, sequence_seed: int, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(
            seed=sequence_seed,
            independent_sampler=RandomSampler(seed),
            warn_independent_sampling=False,
            **options,
        )
        self._always = {p.name: distribution(p) for p in space.parameters if not p.when}
        self._place = 0

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._always:
            return self._always
        finished = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        return super().infer_relative_search_space(study, trial) if finished else {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._place = sum(other.number < trial.number for other in study._get_trials(deepcopy=False))
        return super().sample_relative(study, trial, search_space)

    def _find_sample_id(self, *_: Any) -> int:
        return self._place
