"""Optuna's samplers by name, seeded anew for each trial.

What trial n draws depends only on the sweep's seed, n and the settled trials, so that a restarted
driver draws what an undisturbed one would have drawn.
"""

from __future__ import annotations

import copy
import statistics
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.samplers._ga import BaseGASampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuner.errors import InvalidInput
from tuner.repeats import REPEAT_OF, first_of
from tuner.seeds import derive
from tuner.space import Space
from tuner.spec import Named
from tuner.study.attribute import ATTRIBUTE
from tuner.study.earlier import LEARNERS
from tuner.study.packages import check_packages

Make = Callable[[int], BaseSampler]


class SeededSampler(BaseSampler):
    """Delegate to a sampler that is made anew, with a seed of its own, for each trial.

    Args:
        make: Makes the sampler from a seed.
        seed: The sweep's seed.
        one_sequence: Whether all trials share one seed, for samplers that walk along one sequence.
        earlier: Finished trials of other sweeps from which the sampler learns, too.
        repeats: Trials of each set of parameters; all but the first are not drawn, and not learned from singly.
    """

    def __init__(
        self,
        make: Make,
        seed: int,
        one_sequence: bool = False,
        earlier: Sequence[FrozenTrial] = (),
        repeats: int = 1,
    ) -> None:
        self._make = make
        self._seed = seed
        self._one_sequence = one_sequence
        self._inner = make(derive(seed, "sampler"))
        self._earlier = tuple(earlier)
        self._repeats = repeats
        if isinstance(self._inner, BaseGASampler):
            for trial in self._earlier:  # they are its first generation
                trial.system_attrs[self._inner._get_generation_key()] = 0

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if _repeats(trial):
            return
        if not self._one_sequence:
            self._inner = self._make(derive(self._seed, "sampler", trial.number))
        self._inner.before_trial(self._seen(study), trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if _repeats(trial):
            return {}
        return self._inner.infer_relative_search_space(self._seen(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if _repeats(trial):
            return {}  # a sampler that walks along a sequence would take a step of it
        return self._inner.sample_relative(self._seen(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if not self._one_sequence:
            # A driver may die between two parameters: what is drawn for one must not depend on
            # whether those before it were drawn in the same process.
            self._inner = self._make(derive(self._seed, "sampler", trial.number, param_name))
        return self._inner.sample_independent(self._seen(study), trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        if not _repeats(trial):
            self._inner.after_trial(self._seen(study), trial, state, values)

    def _seen(self, study: Study) -> Study:
        seen = _SeenStudy.__new__(_SeenStudy)
        seen.__dict__ = {**study.__dict__, "_earlier": self._earlier, "_repeats": self._repeats}
        return seen


class _SeenStudy(Study):
    """A study as samplers see it: a paused trial is pruned, with its last value, and earlier sweeps' are there.

    Trials that repeat are hidden behind the first of their set, which has what they came to together.

    A paused trial is RUNNING to Optuna, because it may go on, and a constant liar would take it for a
    bad one.
    """

    _earlier: Sequence[FrozenTrial]
    _repeats: int

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        found = super()._get_trials(deepcopy, None, use_cache)
        if self._repeats > 1:
            found = _one_for_each_set(found)
        if len(self.directions) > 1:
            # Of several objectives there is no last value by which TPE could rank a pruned trial.
            seen = [_without_curve(trial) for trial in found if not _is_paused(trial)]
        else:
            seen = [_pruned(trial) if _is_paused(trial) else trial for trial in found]
        return [trial for trial in (*self._earlier, *seen) if states is None or trial.state in states]

    def stop(self) -> None:
        """Do nothing: a grid that is used up says so, and the sweep knows how many points it has."""


def _tags(trial: FrozenTrial) -> Mapping[str, str]:
    found: Mapping[str, str] = trial.user_attrs.get(ATTRIBUTE, {}).get("tags", {})
    return found


def _repeats(trial: FrozenTrial) -> bool:
    return REPEAT_OF in _tags(trial)


def _one_for_each_set(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    sets: dict[int, list[FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        sets.setdefault(first_of(trial.number, _tags(trial)), []).append(trial)
    return [members[0] if len(members) == 1 else _together(members) for members in sets.values()]


def _together(members: Sequence[FrozenTrial]) -> FrozenTrial:
    """Return the first of a set as the set is seen: pruned if any was, else with the mean of the complete ones."""
    first = members[0]
    complete = [trial for trial in members if trial.state is TrialState.COMPLETE]
    pruned = next((trial for trial in members if trial.state is TrialState.PRUNED), None)
    if pruned is None and not complete:
        return first
    seen = copy.copy(first)
    if pruned is not None:
        seen.state, seen.values = pruned.state, pruned.values
        seen.intermediate_values = pruned.intermediate_values
        return seen
    seen.state, seen.value = TrialState.COMPLETE, statistics.fmean(trial.value or 0.0 for trial in complete)
    seen.system_attrs = {**first.system_attrs, **_constraints(complete)}
    return seen


def _constraints(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Return by how much the worst of some trials is beyond each constraint."""
    worst: dict[str, float] = {}
    for trial in trials:
        for key, beyond in trial.system_attrs.items():
            if key.startswith("constraints:"):  # where FrozenTrial.set_constraint keeps them
                worst[key] = max(beyond, worst.get(key, beyond))
    return worst


def _is_paused(trial: FrozenTrial) -> bool:
    return trial.state is TrialState.RUNNING and trial.user_attrs.get(ATTRIBUTE, {}).get("state") == "PAUSED"


def _without_curve(trial: FrozenTrial) -> FrozenTrial:
    if trial.state is not TrialState.PRUNED:
        return trial
    seen = copy.copy(trial)
    seen.intermediate_values = {}
    return seen


def _pruned(trial: FrozenTrial) -> FrozenTrial:
    pruned = copy.copy(trial)
    pruned.state = TrialState.PRUNED
    return pruned


def make_sampler(
    chosen: Named, space: Space, seed: int, earlier: Sequence[FrozenTrial] = (), repeats: int = 1
) -> BaseSampler:
    """Make the sampler that a search space file names.

    Args:
        chosen: Its name and options.
        space: The parameters.
        seed: The sweep's.
        earlier: Finished trials of other sweeps, in this space.
        repeats: Trials of each set of parameters.

    Raises:
        InvalidInput: A package that it needs is not installed, or Optuna refuses its options.
    """
    options = dict(chosen.options)
    check_packages(chosen.name)
    if chosen.name not in LEARNERS:
        earlier = ()
    if chosen.name == "cmaes" and earlier:
        options["source_trials"] = list(earlier)
    make = _maker(chosen.name, space, options)
    try:
        return SeededSampler(make, seed, chosen.name in ("qmc", "grid"), earlier, repeats)
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
