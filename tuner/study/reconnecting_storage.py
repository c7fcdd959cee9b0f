"""Optuna's storage on a database, as a driver uses it: each call waits while the database is away.

A call whose answer was lost may have been done: what is not the same when it is done twice (making a trial, opening
and ending one) looks first.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import Any

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from tuner.study.reconnection import Reconnection


def _waiting(name: str) -> Callable[..., Any]:
    """Return a method that calls the one of the storage, again while the database is away."""

    def call(self: ReconnectingStorage, *args: Any, **named: Any) -> Any:
        return self.reconnection.run(partial(getattr(self.storage, name), *args, **named))

    return call


class ReconnectingStorage(BaseStorage):
    """A storage whose calls wait while its database is away.

    Args:
        storage: Optuna's, on the database.
        reconnection: Waits and says so.
    """

    def __init__(self, storage: BaseStorage, reconnection: Reconnection) -> None:
        self.storage = storage
        self.reconnection = reconnection
        self._known: dict[int, int] = {}  # how many trials there were when the study was looked at last

    create_new_study = _waiting("create_new_study")
    delete_study = _waiting("delete_study")
    set_study_user_attr = _waiting("set_study_user_attr")
    set_study_system_attr = _waiting("set_study_system_attr")
    get_study_id_from_name = _waiting("get_study_id_from_name")
    get_study_name_from_id = _waiting("get_study_name_from_id")
    get_study_directions = _waiting("get_study_directions")
    get_study_user_attrs = _waiting("get_study_user_attrs")
    get_study_system_attrs = _waiting("get_study_system_attrs")
    get_all_studies = _waiting("get_all_studies")
    set_trial_param = _waiting("set_trial_param")
    get_trial_id_from_study_id_trial_number = _waiting("get_trial_id_from_study_id_trial_number")
    get_trial_number_from_id = _waiting("get_trial_number_from_id")
    get_trial_param = _waiting("get_trial_param")
    set_trial_intermediate_value = _waiting("set_trial_intermediate_value")
    set_trial_user_attr = _waiting("set_trial_user_attr")
    set_trial_system_attr = _waiting("set_trial_system_attr")
    get_trial = _waiting("get_trial")

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        found = self.reconnection.run(partial(self.storage.get_all_trials, study_id, deepcopy, states))
        if states is None:
            self._known[study_id] = len(found)
        return found

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        known = self._known.get(study_id)
        create = partial(self.storage.create_new_trial, study_id, template_trial)

        def again() -> int:
            there = self.storage.get_all_trials(study_id, deepcopy=False)
            new = there[known:] if known is not None else []
            made = next((trial for trial in new if _is_made_of(trial, template_trial)), None)
            return create() if made is None else made._trial_id

        trial_id = self.reconnection.run(create, again)
        self._known[study_id] = (known or 0) + 1
        return trial_id

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        change = partial(self.storage.set_trial_state_values, trial_id, state, values)

        def again() -> bool:
            return self.storage.get_trial(trial_id).state == state or change()

        return self.reconnection.run(change, again)


def _is_made_of(trial: FrozenTrial, template: FrozenTrial | None) -> bool:
    """Whether a trial is as it was made, from a template or from nothing."""
    state = template.state if template else TrialState.RUNNING
    held = (template.params, template.user_attrs, template.system_attrs) if template else ({}, {}, {})
    return trial.state == state and (trial.params, trial.user_attrs, trial.system_attrs) == held
