"""Where a study is kept: the sweep's journal, a database, or this process's memory."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tuner.paths import SweepDir
from tuner.study.journal import open_journal

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def delete_study(storage_url: str, name: str) -> None:
    """Delete a sweep's study from a database, if it is there."""
    from tuner.study.shared import open_database

    storage = open_database(storage_url)
    with contextlib.suppress(KeyError):
        storage.delete_study(storage.get_study_id_from_name(name))


def open_storage(sweep_dir: SweepDir, storage_url: str = "", durable: bool = True) -> BaseStorage:
    """Open the sweep's journal, or the database that ``storage_url`` names.

    Args:
        sweep_dir: The sweep.
        storage_url: A database, or empty for the journal.
        durable: Whether what is written into the journal is to survive the machine, too.
    """
    if not storage_url:
        return open_journal(sweep_dir.journal_file, durable)
    from tuner.study.shared import open_database

    return open_database(storage_url)


def memory_storage() -> BaseStorage:
    """Return a storage that is gone with its process."""
    import optuna

    return optuna.storages.InMemoryStorage()
