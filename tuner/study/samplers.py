"""Optuna's samplers by name, seeded anew for each trial.

What trial n draws depends only on the sweep's seed, n and the settled trials, so that a restarted
driver draws what an undisturbed one would have drawn.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuner.errors import InvalidInput
from tuner.seeds import derive
from tuner.space import Space
from tuner.spec import Named
from tuner.study.attribute import ATTRIBUTE

Make = Callable[[int], BaseSampler]


class SeededSampler(BaseSampler):
    """Delegate to a sampler that is made anew, with a seed of its own, for each trial.

    Args:
        make: Makes the sampler from a seed.
        seed: The sweep's seed.
        one_sequence: Whether all trials share one seed, for samplers that walk along one sequence.
    """

    def __init__(self, make: Make, seed: int, one_sequence: bool = False) -> None:
        self._make = make
        self._seed = seed
        self._one_sequence = one_sequence
        self._inner = make(derive(seed, "sampler"))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if not self._one_sequence:
            self._inner = self._make(derive(self._seed, "sampler", trial.number))
        self._inner.before_trial(_seen(study), trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(_seen(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(_seen(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if not self._one_sequence:
            # A driver may die between two parameters: what is drawn for one must not depend on
            # whether those before it were drawn in the same process.
            self._inner = self._make(derive(self._seed, "sampler", trial.number, param_name))
        return self._inner.sample_independent(_seen(study), trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._inner.after_trial(_seen(study), trial, state, values)


class _SeenStudy(Study):
    """A study as samplers see it: a paused trial is pruned, with its last value.

    It is RUNNING to Optuna, because it may go on, and a constant liar would take it for a bad one.
    """

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        found = super()._get_trials(deepcopy, None, use_cache)
        seen = [_pruned(trial) if _is_paused(trial) else trial for trial in found]
        return [trial for trial in seen if states is None or trial.state in states]


def _seen(study: Study) -> Study:
    seen = _SeenStudy.__new__(_SeenStudy)
    seen.__dict__ = study.__dict__
    return seen


def _is_paused(trial: FrozenTrial) -> bool:
    return trial.state is TrialState.RUNNING and trial.user_attrs.get(ATTRIBUTE, {}).get("state") == "PAUSED"


def _pruned(trial: FrozenTrial) -> FrozenTrial:
    pruned = copy.copy(trial)
    pruned.state = TrialState.PRUNED
    return pruned


def make_sampler(chosen: Named, space: Space, seed: int) -> BaseSampler:
    """Make the sampler that a search space file names.

    Raises:
        InvalidInput: A package that it needs is not installed, or Optuna refuses its options.
    """
    options = dict(chosen.options)
    make = _maker(chosen.name, space, options)
    try:
        return SeededSampler(make, seed, one_sequence=chosen.name in ("qmc", "grid"))
    except ImportError as error:
        raise InvalidInput(
            "search.sampler",
            f"{chosen.name} needs a package that is not installed ({error.name or error}); "
            f"install it with: pip install 'tuner[{chosen.name}]'",
        ) from error
    except (TypeError, ValueError) as error:
        raise InvalidInput("search.sampler", f"{chosen.name} refuses its options: {error}") from error


def _maker(name: str, space: Space, options: Mapping[str, Any]) -> Make:
    samplers = optuna.samplers
    if name == "grid":
        from tuner.space.sampling import grid

        return lambda seed: samplers.GridSampler(grid(space), seed=seed)
    kinds: dict[str, Callable[..., BaseSampler]] = {
        "random": samplers.RandomSampler,
        "tpe": samplers.TPESampler,
        "qmc": samplers.QMCSampler,
        "cmaes": samplers.CmaEsSampler,
        "gp": samplers.GPSampler,
        "nsgaii": samplers.NSGAIISampler,
        "nsgaiii": samplers.NSGAIIISampler,
    }
    if name not in kinds:
        raise InvalidInput("search.sampler", f"unknown sampler {name!r}; expected one of {', '.join(kinds)}, grid")

    def make(seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # the user named it
            return kinds[name](seed=seed, **options)

    return make
