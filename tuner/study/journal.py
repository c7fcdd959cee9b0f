"""Repair of what a killed driver leaves in Optuna's journal, and opening it.

A line cut off by a kill and followed by another makes a journal unreadable for good, so the torn
tail goes before anything is appended; the lock that the dead writer held goes too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.storages import JournalStorage


def repair(file: Path) -> int:
    """Make a journal writable again; call it while holding the driver's lock.

    Returns:
        How many bytes of a torn last line were cut off.
    """
    for lock in file.parent.glob(f"{file.name}.lock*"):
        lock.unlink(missing_ok=True)
    if not file.exists():
        return 0
    with file.open("r+b") as stream:
        content_end = stream.seek(0, os.SEEK_END)
        end = content_end
        while end:
            begin = max(0, end - 65536)
            stream.seek(begin)
            newline = stream.read(end - begin).rfind(b"\n")
            if newline >= 0:
                end = begin + newline + 1
                break
            end = begin
        if end < content_end:
            stream.truncate(end)
        return content_end - end


def open_journal(file: Path, durable: bool = True) -> JournalStorage:
    """Open Optuna's storage on a journal file, making it if it is not there; ``durable`` as of ``JournalFile``."""
    from optuna.storages import JournalStorage

    from tuner.study.journal_file import JournalFile

    return JournalStorage(JournalFile(file, durable))
