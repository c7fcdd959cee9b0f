"""The sweep's own log: everything that is recorded, in order, as JSON lines.

The driver appends before it tells the study, so the log never knows less than the study of a trial that
will not run again, also if the machine lost power; of one that will, what is missing is found again in
its event files. Recorders follow the log (see ``tuner.recorders``) and may be behind it, stopped or
restarted at any time. Lines may repeat after a driver was killed: a record sent twice must count once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tuner.domain.trial import TrialState
from tuner.files.atomic import append_lines
from tuner.records.record import Evaluated, Record, TrialChanged, TrialOpened, from_json, to_json


class RecordLog:
    """Append records to a sweep's log; one writer at a time, or several that share it.

    A torn last line, left by a writer that was killed, is cut off when the log is opened. What is appended
    survives this process at once, and the machine from the next record on that says where something stands:
    that a trial was set aside or finished, a model exported, a driver begun or ended.

    Args:
        file: The log; made if it is not there.
        shared: Whether other drivers append to it too: each write then holds a lock on the file.
        durable: Whether the disk is waited for; otherwise what was appended survives this process only.

    Attributes:
        syncs: How many times the disk was waited for.
    """

    def __init__(self, file: Path, shared: bool = False, durable: bool = True) -> None:
        self._file = file
        self._shared = shared
        self._durable = durable
        self.syncs = 0
        self._stream = file.open("ab", buffering=0)
        with self._turn():
            cut_torn_line(file)

    def append(self, *records: Record) -> None:
        """Append ``records`` in one write, so that each stands whole or not at all for readers."""
        if records:
            with self._turn():
                if self._shared:
                    cut_torn_line(self._file)  # of a driver that was killed while it wrote
                append_lines(self._stream, "".join(to_json(record) + "\n" for record in records).encode())
            if self._durable and not all(map(_comes_again, records)):
                os.fsync(self._stream.fileno())
                self.syncs += 1

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._shared:
            yield
            return
        fcntl.flock(self._stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._stream, fcntl.LOCK_UN)

    def close(self) -> None:
        self._stream.close()


def _comes_again(record: Record) -> bool:
    """Whether the next driver records it again if it is lost: it is of a trial that runs."""
    running = isinstance(record, TrialChanged) and record.state is TrialState.RUNNING
    return running or isinstance(record, (TrialOpened, Evaluated))


@dataclass(frozen=True)
class DamagedLine:
    """A whole line of the log that is no record: a full disk or lost power left it.

    Attributes:
        text: The line.
        rest: The record that was appended behind the part of one, which became one line with it; else None.
    """

    text: str
    rest: Record | None


def read_lines(file: Path, offset: int = 0) -> Iterator[tuple[Record | DamagedLine, int]]:
    """Yield what the whole lines from ``offset`` on hold, each with the offset behind it.

    A torn last line is left for later.
    """
    if not file.exists():
        return
    with file.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield _parsed(line), offset


def read_records(file: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Yield the records of ``read_lines``; lines that are none are passed over."""
    for held, end in read_lines(file, offset):
        record = held.rest if isinstance(held, DamagedLine) else held
        if record is not None:
            yield record, end


def _parsed(line: bytes) -> Record | DamagedLine:
    text = line.decode(errors="replace").rstrip("\n")
    try:
        return from_json(text)
    except ValueError:
        begin = text.rfind('{"record":')  # within a JSON string its quotes would have backslashes
        try:
            return DamagedLine(text, from_json(text[begin:]) if begin > 0 else None)
        except ValueError:
            return DamagedLine(text, None)


def begin_of_line(file: Path, offset: int) -> int:
    """Return the offset from which a reader goes on that has read the log up to ``offset``.

    That is ``offset``, if a line begins there. A machine that lost power may have lost the end of the log:
    beyond its end one goes on at its end; if a line was written over that place since, at the log's begin,
    because what else was written before that place was not read.
    """
    if not file.exists():
        return 0
    with file.open("rb") as stream:
        if offset > stream.seek(0, os.SEEK_END):
            return _end_of_lines(stream)
        stream.seek(max(0, offset - 1))
        return offset if stream.read(1) == b"\n" else 0


def last_record(file: Path) -> Record | None:
    """Return the last whole record without reading those before it.

    None if there is none, or the last line is no record.
    """
    if not file.exists():
        return None
    with file.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        tail = b""
        while end and tail.rpartition(b"\n")[0].count(b"\n") == 0:
            begin = max(0, end - 4096)
            stream.seek(begin)
            tail = stream.read(end - begin) + tail
            end = begin
    whole = tail.rpartition(b"\n")[0]
    held = _parsed(whole.rpartition(b"\n")[2]) if whole else None
    return held.rest if isinstance(held, DamagedLine) else held


def cut_torn_line(file: Path) -> None:
    """Cut what a killed writer left after the last newline."""
    if file.exists():
        with file.open("r+b") as stream:
            stream.truncate(_end_of_lines(stream))


def _end_of_lines(stream: BinaryIO) -> int:
    """Return the offset after the last newline."""
    end = stream.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - 4096)
        stream.seek(begin)
        newline = stream.read(end - begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0


def read_sent_offset(file: Path) -> int:
    """Return how many bytes of the log have arrived at the tracking store, as a file of its own says."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def write_sent_offset(file: Path, offset: int) -> None:
    """Remember how many bytes have arrived."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(f"{offset}\n", encoding="utf-8")
    beside.replace(file)
