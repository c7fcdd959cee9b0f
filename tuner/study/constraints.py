"""By how much a trial is beyond each constraint, told to Optuna for samplers that know constraints."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuner.domain.objective import Constraint, Goal
from tuner.domain.scoring import infeasible_loss

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

MAX_VIOLATION = 1e300
"""What is infinitely beyond a constraint, for samplers that reckon with it."""


def set_constraints(
    storage: BaseStorage, trial_id: int, constraints: Sequence[Constraint], values: Mapping[str, float]
) -> None:
    """Give Optuna by how much a trial is beyond each constraint whose metric has a value."""
    frozen = copy.copy(storage.get_trial(trial_id))
    frozen.system_attrs = before = dict(frozen.system_attrs)
    constrain(frozen, constraints, values)
    for key in frozen.system_attrs.keys() - storage.get_trial(trial_id).system_attrs.keys():
        storage.set_trial_system_attr(trial_id, key, before[key])


def constrain(trial: FrozenTrial, constraints: Sequence[Constraint], values: Mapping[str, float]) -> None:
    """Note in a trial by how much it is beyond each constraint whose metric has a value."""
    for constraint in constraints:
        if constraint.metric in values:
            beyond = constraint.violation(values[constraint.metric])
            trial.set_constraint(constraint.metric, min(beyond, MAX_VIOLATION))


def beyond_constraints(trial: FrozenTrial) -> float:
    """Return by how much a trial that Optuna holds is beyond its constraints in all; 0 if it keeps to them."""
    return math.fsum(max(0.0, beyond) for key, beyond in trial.system_attrs.items() if key.startswith("constraints:"))


def loss_of(trial: FrozenTrial, goal: Goal) -> float:
    """Return the first loss of a complete trial, ``infeasible_loss`` if it breaks a constraint."""
    beyond = beyond_constraints(trial)
    return infeasible_loss(beyond) if beyond else goal.loss(trial.values[0])
