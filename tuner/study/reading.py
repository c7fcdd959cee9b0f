"""A study read without changing anything, whoever works on it."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.errors import StoreError
from tuner.paths import SweepDir
from tuner.spec import SweepSpec
from tuner.study.attribute import ATTRIBUTE, FORGOTTEN
from tuner.study.shared import missing_file
from tuner.study.storage import open_storage
from tuner.study.trial import TrialRecord, begun


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
        StoreError: The study cannot be read.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not storage_url and not sweep_dir.journal_file.exists():
        return StudyOnDisk()
    if storage_url and (file := missing_file(storage_url)):
        raise StoreError(
            f"the study of {spec.name!r} is in {file}, which is not there",
            f"put it back, or delete what is left of the sweep: tuner delete {spec.name}",
        )
    try:
        storage = open_storage(sweep_dir, storage_url)
        try:
            study_id = storage.get_study_id_from_name(spec.name)
        except KeyError:
            return StudyOnDisk()
        ours = storage.get_study_user_attrs(study_id).get(ATTRIBUTE, {})
        trials = tuple(begun(storage.get_all_trials(study_id, deepcopy=False), spec))
        return StudyOnDisk(trials, frozenset(ours.get(FORGOTTEN, ())), float(ours.get("seconds", 0.0)))
    except Exception as error:
        raise StoreError(f"the study of {spec.name!r} cannot be read: {error}") from error
