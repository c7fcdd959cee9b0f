"""Optuna's journal as one driver writes it: a line a change, on the disk whenever a trial's state changes.

The file is the one that Optuna's own ``JournalFileBackend`` reads and writes. That one locks, opens
and syncs the file for each line, eleven times a trial; here the sweep's lock keeps other drivers away.
"""

from __future__ import annotations

import errno
import io
import json
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from tuner.errors import StoreError
from tuner.files.lines import Line
from tuner.files.paths import SweepDir
from tuner.records.log import cut_torn_line
from tuner.study.lost_trials import remedy

_CREATE_STUDY, _STATE, _ATTRIBUTE = 0, 6, 8  # Optuna's codes of operations
_SYNCED = (_CREATE_STUDY, _STATE, _ATTRIBUTE)  # a trial's start and end; its draw and its reports go with them


class JournalFile(BaseJournalBackend):
    """Append to a journal and read it on; lines of other writers are seen too.

    Each line is appended by one write, so that a line stands whole or is the torn last one. What is
    written survives this process at once, and the machine from the next change of a trial's state on.

    Args:
        file: The journal; made if it is not there.
        durable: Whether the disk is waited for; otherwise what was written survives this process only.

    Attributes:
        writes: How many writes there were.
        syncs: How many times the disk was waited for.
    """

    def __init__(self, file: Path, durable: bool = True) -> None:
        self._file = file
        self._durable = durable
        self._last = (0, 0, b"")  # number, offset and bytes of the line that was read last
        self._descriptor = _open(file)
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self._first = 0  # the line with which the offsets begin
        self._offsets = [0]  # where each line begins, and the last one that was read ends
        self.writes = 0
        self.syncs = 0

    def pass_over(self, lines: int, end: int) -> None:
        """Take that so many lines, which end there, were read otherwise."""
        self._first, self._offsets = lines, [end]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        if log_number_from < self._first:
            self.pass_over(0, 0)
        known = self._first + len(self._offsets)
        if log_number_from >= known:
            for _ in self._lines(known - 1):
                pass
        for number, line in enumerate(self._lines(log_number_from), log_number_from):
            self._last = (number + 1, self._offsets[number - self._first], line[:-1])
            try:
                log = json.loads(line)
            except (ValueError, RecursionError):
                raise self.damage() from None
            if not isinstance(log, dict) or type(log.get("op_code")) is not int:
                raise self.damage()
            yield log

    def damage(self) -> StoreError:
        """Return the error that the line which was read last is no change that can follow those before it."""
        return Line(self._file, *self._last).damage("a change of the study", remedy(SweepDir(self._file.parent)))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        data = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        while data:
            data = data[os.write(self._descriptor, data) :]
            self.writes += 1
        if self._durable and any(log["op_code"] in _SYNCED for log in logs):
            os.fsync(self._descriptor)
            self.syncs += 1

    def _lines(self, number: int) -> Iterator[bytes]:
        """Yield the whole lines from a number on; a torn last one is left for later."""
        index = number - self._first
        if index >= len(self._offsets):
            return
        offset = self._offsets[index]
        missing = os.fstat(self._descriptor).st_size - offset
        if missing <= 0:
            return
        for line in io.BytesIO(os.pread(self._descriptor, missing, offset)):  # by newlines alone
            if not line.endswith(b"\n"):
                return
            index, offset = index + 1, offset + len(line)
            if index == len(self._offsets):
                self._offsets.append(offset)
            yield line


def _open(file: Path) -> int:
    """Open a journal to append, or only to read if it cannot be written."""
    try:
        return os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)


def repair(file: Path) -> int:
    """Make a journal writable again; call it while holding the driver's lock.

    Returns:
        How many bytes of a torn last line were cut off.
    """
    for lock in file.parent.glob(f"{file.name}.lock*"):
        lock.unlink(missing_ok=True)
    if not file.exists():
        return 0
    before = file.stat().st_size
    cut_torn_line(file)
    return before - file.stat().st_size
