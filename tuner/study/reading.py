"""A study read without changing anything, whoever works on it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord
from tuner.errors import StoreError, TunerError
from tuner.files.paths import SweepDir
from tuner.records.trials import begun_trials
from tuner.study.database import missing_file
from tuner.study.encoding import is_seen_otherwise
from tuner.study.frozen_trial import ATTRIBUTE, FORGOTTEN, HeldTrial, begun
from tuner.study.index import replay_journal
from tuner.study.lost_trials import lost_trials
from tuner.study.replay import Replay, Unusual
from tuner.study.storage import open_storage

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


_TAIL = 1 << 18  # bytes of the record log: more than a hundred trials


@dataclass(frozen=True)
class StudyOnDisk:
    """A study as it stands.

    Attributes:
        trials: All that were begun, by number.
        deleted: Numbers of those that were deleted, which are shown no more.
        seconds: Running time of the sweep so far, over all calls.
    """

    trials: tuple[TrialRecord, ...] = ()
    deleted: frozenset[int] = frozenset()
    seconds: float = 0.0


def read_trials(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> list[TrialRecord]:
    """Return a sweep's trials but those that were deleted; see ``read_study``."""
    study = read_study(sweep_dir, spec, storage_url)
    return [trial for trial in study.trials if trial.number not in study.deleted]


def read_study(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> StudyOnDisk:
    """Return a sweep's study without changing anything; a driver may be at work.

    Raises:
        StoreError: The study cannot be read, or has lost all trials that were recorded.
    """
    study = _read(sweep_dir, spec, storage_url)
    if not study.trials and next(begun_trials(sweep_dir.records_file), None) is not None:
        return read_whole_study(sweep_dir, spec, storage_url)  # read again: its first trial may have begun meanwhile
    return study


def recently_lost(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str, had: Set[int]) -> list[int]:
    """Return the trials that the end of the record log has and the study has not, at no cost by the sweep's length.

    Args:
        sweep_dir: The sweep.
        spec: What it runs.
        storage_url: Optuna storage, or empty for the journal.
        had: Numbers of the trials that the study had, as it was read.
    """
    recorded = set(begun_trials(sweep_dir.records_file, _TAIL)) - had
    if not recorded:
        return []
    return sorted(recorded - {trial.number for trial in read_study(sweep_dir, spec, storage_url).trials})  # begun since


def read_whole_study(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> StudyOnDisk:
    """Return the study of a sweep that is to go on, with all trials that were recorded; an empty one if none was.

    Raises:
        StoreError: Trials are missing there, or it cannot be read.
    """
    recorded = set(begun_trials(sweep_dir.records_file))  # before the study is read, which others may add to
    study = _read(sweep_dir, spec, storage_url) if recorded else StudyOnDisk()
    if missing := recorded - {trial.number for trial in study.trials}:
        raise lost_trials(sweep_dir, sorted(missing), storage_url)
    return study


def _read(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str) -> StudyOnDisk:
    if not storage_url:
        if not sweep_dir.journal_file.exists():
            return StudyOnDisk()
        # Optuna says what is wrong, if anything is.
        with contextlib.suppress(Unusual, OSError), _uncollected():
            return _replayed(replay_journal(sweep_dir), spec)
    elif file := missing_file(storage_url):
        raise StoreError(
            f"the study of {spec.name!r} is in {file}, which is not there",
            f"put it back, or delete what is left of the sweep: tuner delete {spec.name}",
        )
    return _read_by_optuna(sweep_dir, spec, storage_url)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage while very many trials are read: none of it is, and each look goes through all of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _replayed(replay: Replay, spec: SweepSpec) -> StudyOnDisk:
    """Return the sweep's study in a journal."""
    study = replay.study(spec.name)
    if study is None:
        return StudyOnDisk()
    are_needed = any(map(is_seen_otherwise, spec.space.parameters))
    kinds: list[BaseDistribution] = []
    if are_needed:
        from optuna.distributions import json_to_distribution

        kinds = [json_to_distribution(text) for text in replay.kinds]
    trials = [
        HeldTrial(
            trial.number,
            trial.state_name,
            trial.params,
            {name: kinds[number] for name, number in trial.kinds.items()} if are_needed else dict.fromkeys(trial.kinds),
            trial.values,
            dict(trial.curve),
            trial.user_attrs,
            trial.started,
            trial.ended,
        )
        for trial in (replay.trials[trial_id] for trial_id in study.trials)
    ]
    return _on_disk(trials, study.user_attrs, spec)


def _read_by_optuna(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str) -> StudyOnDisk:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = open_storage(sweep_dir, storage_url)
        try:
            study_id = storage.get_study_id_from_name(spec.name)
        except KeyError:
            return StudyOnDisk()
        trials = [HeldTrial.of_optuna(frozen) for frozen in storage.get_all_trials(study_id, deepcopy=False)]
        return _on_disk(trials, storage.get_study_user_attrs(study_id), spec)
    except TunerError:
        raise
    except Exception as error:
        raise StoreError(f"the study of {spec.name!r} cannot be read: {error}") from error


def _on_disk(trials: Sequence[HeldTrial], attributes: Mapping[str, Any], spec: SweepSpec) -> StudyOnDisk:
    ours = attributes.get(ATTRIBUTE, {})
    return StudyOnDisk(tuple(begun(trials, spec)), frozenset(ours.get(FORGOTTEN, ())), float(ours.get("seconds", 0.0)))
