"""Optuna's storage on a journal that was replayed without Optuna, which takes four times as long for it.

What stands in the storage is what Optuna's own replay comes to (a test compares them); from there on Optuna reads
and writes the journal as ever.
"""

from __future__ import annotations

from datetime import datetime

from optuna.distributions import json_to_distribution
from optuna.storages import JournalStorage
from optuna.storages.journal._storage import JournalStorageReplayResult
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from tuner.study.journal_file import JournalFile
from tuner.study.replay import Replay, Unusual

_HELD = {
    "log_number_read",
    "_worker_id_prefix",
    "_studies",
    "_trials",
    "_study_id_to_trial_ids",
    "_trial_id_to_study_id",
    "_next_study_id",
    "_worker_id_to_owned_trial_id",
}
"""What Optuna's result of a replay consists of, if this module can make one."""


def restored(journal: JournalFile, replay: Replay) -> JournalStorage:
    """Return a storage that has read a journal up to where it was replayed.

    Raises:
        Unusual: This version of Optuna keeps what it has read otherwise.
    """
    storage = JournalStorage.__new__(JournalStorage)
    storage.__setstate__({"_backend": journal})  # as one that comes out of a pickle: it has read nothing yet
    found = storage._replay_result
    if vars(found).keys() != _HELD:
        raise Unusual
    found.log_number_read = replay.before + replay.lines
    _fill(found, replay)
    journal.pass_over(found.log_number_read, replay.end)
    return storage


def _fill(found: JournalStorageReplayResult, replay: Replay) -> None:
    kinds = [json_to_distribution(text) for text in replay.kinds]
    for study_id, study in enumerate(replay.studies):
        directions = [StudyDirection(direction) for direction in study.directions]
        found._studies[study_id] = FrozenStudy(
            study.name, None, study.user_attrs, study.system_attrs, study_id, directions=directions
        )
        found._study_id_to_trial_ids[study_id] = study.trials
        found._trial_id_to_study_id.update(dict.fromkeys(study.trials, study_id))
    found._next_study_id = len(replay.studies)
    for trial_id, trial in enumerate(replay.trials):
        found._trials[trial_id] = FrozenTrial(
            number=trial.number,
            state=TrialState[trial.state_name],
            value=None,
            datetime_start=_time(trial.started),
            datetime_complete=_time(trial.ended),
            params=trial.params,
            distributions={name: kinds[kind] for name, kind in trial.kinds.items()},
            user_attrs=trial.user_attrs,
            system_attrs=trial.system_attrs,
            intermediate_values=dict(trial.curve),
            trial_id=trial_id,
            values=trial.values,
        )


def _time(seconds: float) -> datetime | None:
    """Return a time in local time without its zone, as Optuna has it."""
    return datetime.fromtimestamp(seconds).replace(fold=0) if seconds else None
