"""Trials that repeat parameters with other seeds, as samplers see them: one for each set."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.domain.repeats import first_of
from tuner.study.frozen_trial import ATTRIBUTE, number_of


def one_for_each_set(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials with those that repeat hidden behind the first of their set."""
    sets: dict[int, list[FrozenTrial]] = {}
    for trial in sorted(trials, key=number_of):
        tags = trial.user_attrs.get(ATTRIBUTE, {}).get("tags", {})
        sets.setdefault(first_of(number_of(trial), tags), []).append(trial)
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
    seen.system_attrs = {**first.system_attrs, **constraints_of(complete)}
    return seen


def constraints_of(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Return by how much the worst of some trials is beyond each constraint."""
    worst: dict[str, float] = {}
    for trial in trials:
        for key, beyond in trial.system_attrs.items():
            if key.startswith("constraints:"):  # where FrozenTrial.set_constraint keeps them
                worst[key] = max(beyond, worst.get(key, beyond))
    return worst
