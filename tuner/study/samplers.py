"""Optuna's samplers by name, seeded anew for each trial.

What trial n draws depends only on the sweep's seed, n and the finished trials, so that a restarted
driver draws what an undisturbed one would have drawn.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.samplers._ga import BaseGASampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuner.config.sampler_options import SamplerKind, check_packages, sampler_kind
from tuner.domain.objective import Goal, Objective
from tuner.domain.seeds import derive
from tuner.domain.spec import Named
from tuner.domain.tags import REPEAT_OF
from tuner.errors import InvalidInput
from tuner.space import Space
from tuner.study.constraints import beyond_constraints
from tuner.study.encoding import SamplerView
from tuner.study.exploring import end_early, farthest, is_explored, is_paused
from tuner.study.extrapolation import Extrapolation
from tuner.study.frozen_trial import ATTRIBUTE, current
from tuner.study.learning_set import MOST, learning_set
from tuner.study.seen_sets import constraints_of, one_for_each_set
from tuner.user_class import constructor_options, is_place, load_class

Make = Callable[[int], BaseSampler]


class SeededSampler(BaseSampler):
    """Delegate to a sampler that is made anew, with a seed of its own, for each trial.

    Args:
        make: Makes the sampler from a seed.
        seed: The sweep's seed.
        one_sequence: Whether all trials share one seed, for samplers that walk along one sequence.
        earlier: Finished trials of other sweeps from which the sampler learns, too.
        repeats: Trials of each set of parameters; all but the first are not drawn, and not learned from singly.
        objective: By which the sampler ranks all trials that have a curve, or None: it knows complete ones from pruned.
        view: What samplers see of the parameters.
        goal: Of the one objective, if the sampler is to learn from no more than ``learning_set.MOST`` trials, and to
            leave draws to chance and learn from those that came farthest while hardly any trial trains to its end
            (``tuner.study.exploring``).
    """

    def __init__(
        self,
        make: Make,
        seed: int,
        one_sequence: bool = False,
        earlier: Sequence[FrozenTrial] = (),
        repeats: int = 1,
        objective: Objective | None = None,
        view: SamplerView | None = None,
        goal: Goal | None = None,
    ) -> None:
        self._make = make
        self._goal = goal
        self._memo = _Memo()
        self._explored: tuple[int, bool] | None = None  # of the trial that was drawn for last
        self._view = view or SamplerView()
        self._seed = seed
        self._one_sequence = one_sequence
        self._inner = make(derive(seed, "sampler"))
        self._earlier = tuple(earlier)
        self._repeats = repeats
        self._ahead = Extrapolation(objective) if objective is not None and repeats == 1 else None
        if isinstance(self._inner, BaseGASampler):
            for trial in self._earlier:  # they are its first generation
                trial.system_attrs[self._inner._get_generation_key()] = 0

    def prepare(self, study: Study) -> None:
        """Look at the trials that a study has, of which a draw then looks at new ones alone."""
        if self._ahead is not None:
            self._seen(study)._get_trials(deepcopy=False)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if _repeats(trial):
            return
        if not self._one_sequence:
            self._inner = self._made(study, trial)
        self._inner.before_trial(self._seen(study), self._view.trial(trial))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if _repeats(trial):
            return {}
        found = self._inner.infer_relative_search_space(self._seen(study), self._view.trial(trial))
        return self._view.stored_space(found)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if _repeats(trial):
            return {}  # a sampler that walks along a sequence would take a step of it
        seen = self._view.seen_space(search_space)
        drawn = self._inner.sample_relative(self._seen(study), self._view.trial(trial), seen)
        return {name: self._view.stored_value(name, value) for name, value in drawn.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if not self._one_sequence:
            # A driver may die between two parameters: what is drawn for one must not depend on
            # whether those before it were drawn in the same process.
            self._inner = self._made(study, trial, param_name)
        seen, kind = self._view.trial(trial), self._view.seen_distribution(param_name, param_distribution)
        drawn = self._inner.sample_independent(self._seen(study), seen, param_name, kind)
        return self._view.stored_value(param_name, drawn)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        if not _repeats(trial) and not self._one_sequence:  # a grid's asks for the point of one that was enqueued
            self._inner.after_trial(self._seen(study), self._view.trial(trial), state, values)

    def _made(self, study: Study, trial: FrozenTrial, *param: str) -> BaseSampler:
        """Return the sampler of a trial, or of one of its parameters."""
        seed = derive(self._seed, "sampler", trial.number, *param)
        return optuna.samplers.RandomSampler(seed) if self._is_explored(study, trial) else self._make(seed)

    def _is_explored(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether a trial is drawn at random, seen once for all of its parameters."""
        if self._goal is None:
            return False
        if self._explored is None or self._explored[0] != trial.number:
            trials = study._get_trials(deepcopy=False)
            self._explored = trial.number, is_explored(trial.number, trials, len(self._earlier))
        return self._explored[1]

    def _seen(self, study: Study) -> Study:
        seen = _SeenStudy.__new__(_SeenStudy)
        seen.__dict__ = {
            **study.__dict__,
            "_earlier": self._earlier,
            "_repeats": self._repeats,
            "_ahead": self._ahead,
            "_view": self._view,
            "_goal": self._goal,
            "_memo": self._memo,
        }
        return seen


@dataclass
class _Memo:
    """The trials that a study held when it was looked at last, and what of them was seen."""

    held: list[FrozenTrial] | None = None
    seen: list[FrozenTrial] = field(default_factory=list)


class _SeenStudy(Study):
    """A study as samplers see it: a paused trial is pruned, with its last value, and earlier sweeps' are there.

    Trials that repeat are hidden behind the first of their set, which has what they came to together.

    A paused trial is RUNNING to Optuna, because it may go on, and a constant liar would take it for a
    bad one. Samplers that rank trials by one value see paused and pruned ones complete, with what they would
    have come to (see ``tuner.study.extrapolation``).
    """

    _earlier: Sequence[FrozenTrial]
    _repeats: int
    _ahead: Extrapolation | None
    _view: SamplerView
    _goal: Goal | None
    _memo: _Memo

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        held = super()._get_trials(deepcopy, None, use_cache)
        if deepcopy:
            return [trial for trial in self._look_at(held) if states is None or trial.state in states]
        if self._memo.held != held:  # a sampler asks several times for each trial; what has finished stays the same
            self._memo.held, self._memo.seen = held, self._look_at(held)
        return [trial for trial in self._memo.seen if states is None or trial.state in states]

    def _look_at(self, held: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        found = [self._view.trial(trial) for trial in current(held)]
        if self._repeats > 1:
            found = one_for_each_set(found)
        if len(self.directions) > 1:
            # Of several objectives there is no last value by which TPE could rank a pruned trial.
            seen = [_without_curve(trial) for trial in found if not is_paused(trial)]
        else:
            seen = [_pruned(trial) if is_paused(trial) else trial for trial in found]
        if self._ahead is not None:
            _see_curves(seen, self._ahead)
            if self._goal is not None and end_early(seen, len(self._earlier)):
                seen = farthest(seen)
            seen = _extrapolated(seen, self._ahead)
        if self._goal is not None and len(seen) > MOST:
            beyond = {trial.number: beyond_constraints(trial) for trial in seen if trial.system_attrs}
            seen = learning_set(seen, self._goal, beyond)
        return [*self._earlier, *seen]

    def stop(self) -> None:
        """Do nothing: a grid that is used up says so, and the sweep knows how many points it has."""


def _repeats(trial: FrozenTrial) -> bool:
    """Whether a trial has the parameters of another one, with another seed."""
    return REPEAT_OF in trial.user_attrs.get(ATTRIBUTE, {}).get("tags", {})


def _without_curve(trial: FrozenTrial) -> FrozenTrial:
    if trial.state is not TrialState.PRUNED:
        return trial
    seen = copy.copy(trial)
    seen.intermediate_values = {}
    return seen


def _see_curves(trials: Sequence[FrozenTrial], ahead: Extrapolation) -> None:
    for trial in trials:
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            ahead.see(trial.number, trial.intermediate_values)


def _extrapolated(trials: Sequence[FrozenTrial], ahead: Extrapolation) -> list[FrozenTrial]:
    """Return trials with those that were pruned as complete ones, each with what it would have come to."""
    constrained = any(trial.system_attrs and constraints_of([trial]) for trial in trials)
    return [
        _completed(trial, ahead)
        if trial.state is TrialState.PRUNED and bool(constraints_of([trial])) == constrained
        else trial
        for trial in trials
    ]


def _completed(trial: FrozenTrial, ahead: Extrapolation) -> FrozenTrial:
    value = ahead.value(trial.number)
    if value is None:
        return trial
    seen = copy.copy(trial)
    seen.state, seen.value = TrialState.COMPLETE, value
    return seen


def _pruned(trial: FrozenTrial) -> FrozenTrial:
    pruned = copy.copy(trial)
    pruned.state = TrialState.PRUNED
    return pruned


def make_sampler(
    chosen: Named,
    space: Space,
    seed: int,
    earlier: Sequence[FrozenTrial] = (),
    repeats: int = 1,
    objective: Objective | None = None,
    plain: bool = True,
    import_paths: Sequence[str] = (),
) -> SeededSampler:
    """Make the sampler that a search space file names.

    Args:
        chosen: Its name and options.
        space: The parameters.
        seed: The sweep's.
        earlier: Finished trials of other sweeps, in this space.
        repeats: Trials of each set of parameters.
        objective: If there is one alone.
        plain: Whether the study holds plain values; see ``tuner.study.encoding``.
        import_paths: Folders in which a sampler of the user's own is looked for.

    Raises:
        InvalidInput: A package that it needs is not installed, or Optuna refuses its options.
    """
    options = dict(chosen.options)
    check_packages(chosen.name)
    kind = sampler_kind(chosen.name)
    if not kind.learns:
        earlier = ()
    if kind.earlier_as and earlier:
        options[kind.earlier_as] = list(earlier)
    make = _maker(kind, space, options, import_paths, seed)
    try:
        ranked = objective if kind.ranks else None
        view = SamplerView(space.parameters if plain else ())
        goal = objective.goal if objective is not None and kind.weighs_all else None
        return SeededSampler(make, seed, kind.lists_values, earlier, repeats, ranked, view, goal)
    except (TypeError, ValueError) as error:
        raise InvalidInput("search.sampler", f"{chosen.name} refuses its options: {error}") from error


def sampler_class(kind: SamplerKind, import_paths: Sequence[str]) -> type[BaseSampler]:
    """Return the class of a sampler: one of Optuna's, or the user's own.

    Raises:
        InvalidInput: The user's own cannot be imported, or is no sampler.
    """
    if is_place(kind.sampler):
        return load_class("search.sampler", kind.sampler, BaseSampler, import_paths)  # type: ignore[type-abstract]
    found: type[BaseSampler] = getattr(optuna.samplers, kind.sampler)
    return found


def _maker(
    kind: SamplerKind, space: Space, options: Mapping[str, Any], import_paths: Sequence[str], sweep_seed: int
) -> Make:
    sampler = sampler_class(kind, import_paths)
    if sampler is optuna.samplers.QMCSampler:
        from tuner.study.quasi_random import QuasiRandomSampler

        return _quietly(partial(QuasiRandomSampler, space, derive(sweep_seed, "sampler"), options))
    if sampler is optuna.samplers.GridSampler:
        from tuner.study.encoding import grid

        options = {"search_space": grid(space), **options}
    seeded = "seed" in constructor_options(sampler)
    return _quietly(lambda seed: sampler(**options, **({"seed": seed} if seeded else {})))


def _quietly(make: Make) -> Make:
    def made(seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # the user named it
            return make(seed)

    return made
