"""A study read without changing anything, whoever works on it."""

from __future__ import annotations

from tuner.errors import StoreError
from tuner.paths import SweepDir
from tuner.spec import SweepSpec
from tuner.study.attribute import ATTRIBUTE, FORGOTTEN
from tuner.study.storage import open_storage
from tuner.study.trial import TrialRecord, begun


def read_trials(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> list[TrialRecord]:
    """Return a sweep's trials without changing anything; a driver may be at work.

    Raises:
        StoreError: The study cannot be read.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not storage_url and not sweep_dir.journal_file.exists():
        return []
    try:
        storage = open_storage(sweep_dir, storage_url)
        study_id = storage.get_study_id_from_name(spec.name)
    except KeyError:
        return []
    except Exception as error:
        raise StoreError(f"the study of {spec.name!r} cannot be read: {error}") from error
    forgotten = storage.get_study_user_attrs(study_id).get(ATTRIBUTE, {}).get(FORGOTTEN, [])
    found = storage.get_all_trials(study_id, deepcopy=False)
    return [record for record in begun(found, spec) if record.number not in forgotten]
