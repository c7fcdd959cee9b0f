"""Where a study is kept: the sweep's journal, a database, or this process's memory."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import TunerError
from tuner.files.paths import SweepDir
from tuner.study.index import replay_journal
from tuner.study.reconnection import Reconnection
from tuner.study.replay import Unusual

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, JournalStorage

LONG = 1 << 21  # bytes of a journal of which Optuna's own replay takes a quarter of a second


def delete_study(sweep_dir: SweepDir, storage_url: str = "") -> None:
    """Delete a sweep's study from its folder, or from the database that ``storage_url`` names, if it is there."""
    if not storage_url:
        sweep_dir.journal_file.unlink(missing_ok=True)
        return
    from tuner.study.database import open_database

    storage = open_database(storage_url)
    with contextlib.suppress(KeyError):
        storage.delete_study(storage.get_study_id_from_name(sweep_dir.name))


def open_storage(
    sweep_dir: SweepDir, storage_url: str = "", durable: bool = True, reconnection: Reconnection | None = None
) -> BaseStorage:
    """Open the sweep's journal, or the database that ``storage_url`` names.

    Args:
        sweep_dir: The sweep.
        storage_url: A database, or empty for the journal.
        durable: Whether what is written into the journal is to survive the machine, too.
        reconnection: Waits while the database is away; without it a call fails then.
    """
    if not storage_url:
        return _restored(sweep_dir, durable) or open_journal(sweep_dir.journal_file, durable)
    from tuner.study.database import open_database

    if reconnection is None:
        return open_database(storage_url)
    from tuner.study.reconnecting_storage import ReconnectingStorage

    return ReconnectingStorage(reconnection.run(partial(open_database, storage_url)), reconnection)


def _restored(sweep_dir: SweepDir, durable: bool) -> JournalStorage | None:
    """Open a long journal without having Optuna replay it; None if it is short, or only Optuna can read it."""
    try:
        if sweep_dir.journal_file.stat().st_size < LONG:
            return None
        from tuner.study.journal_file import JournalFile
        from tuner.study.restored import restored

        return restored(JournalFile(sweep_dir.journal_file, durable), replay_journal(sweep_dir))
    except (Unusual, OSError):
        return None


def memory_storage() -> BaseStorage:
    """Return a storage that is gone with its process."""
    import optuna

    return optuna.storages.InMemoryStorage()


def open_journal(file: Path, durable: bool = True) -> JournalStorage:
    """Open Optuna's storage on a journal file, making it if it is not there; ``durable`` as of ``JournalFile``.

    Raises:
        StoreError: A line of it is damaged; says which.
    """
    from optuna.storages import JournalStorage

    from tuner.study.journal_file import JournalFile

    journal = JournalFile(file, durable)
    try:
        return JournalStorage(journal)
    except (TunerError, OSError):
        raise
    except Exception as error:  # Optuna takes a line that is JSON as it comes
        raise journal.damage() from error
