"""What the disk under a sweep can do to it: be full, turn read-only, hold more checkpoints than wanted."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import StoreError
from tuner.files import checkpoints
from tuner.files.paths import SweepDir
from tuner.text import show_size

_UNWRITABLE = {
    errno.ENOSPC: ("the disk is full", "make room"),
    errno.EDQUOT: ("the disk quota is used up", "make room"),
    errno.EFBIG: ("a file would be larger than this process may write (ulimit -f)", "raise that limit"),
    errno.EROFS: ("it is on a read-only file system", "make it writable"),
    errno.EIO: ("the disk answers with input/output errors", "look after it"),
    errno.EACCES: ("it may not be written to", "change its owner or mode"),
    errno.EPERM: ("it may not be written to; it may be immutable", "lsattr shows that, chattr -i ends it"),
    errno.ESTALE: ("the server that has it does not know it any more", "mount it again"),
}
_OF_FILES = (errno.EACCES, errno.EPERM)  # which say nothing of the disk
_PROBE_BYTES = 1 << 18  # more than a sweep writes between two looks


@contextmanager
def disk_faults(sweep_dir: SweepDir) -> Iterator[None]:
    """Turn an error of the disk into one that says what to do.

    Raises:
        StoreError: The disk is full or read-only, or the folder is gone. What was recorded is there unless the
            folder is gone, and the sweep can be resumed.
    """
    there = FolderWatch(sweep_dir.path)
    try:
        yield
    except OSError as error:
        if there.is_gone:
            raise folder_gone(sweep_dir) from error
        found = _fault(sweep_dir.path, error)
        if found is None:
            raise
        what, remedy = _UNWRITABLE[found.errno or 0]
        raise StoreError(
            f"cannot write to {found.filename or sweep_dir.path}: {what} ({found.strerror})",
            f"nothing recorded is lost; {remedy}, then: tuner resume {sweep_dir.name}",
        ) from error


class FolderWatch:
    """Notice that a file or folder was deleted or moved: what is open takes all that is written, into nothing.

    Args:
        path: It need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._there = _identity(path)

    @property
    def is_gone(self) -> bool:
        """Whether it was there, and is not any more; a disk that does not answer says nothing of that."""
        try:
            return self._there is not None and _identity(self._path) != self._there
        except OSError:
            return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def folder_gone(sweep_dir: SweepDir) -> StoreError:
    """Return the error that a sweep's folder is not there any more."""
    return StoreError(
        f"{sweep_dir.path} was deleted or moved while the sweep ran: it cannot go on, and its trials were ended",
        f"what MLflow had got of it stays there; put the folder back, then: tuner resume {sweep_dir.name}",
    )


def _fault(folder: Path, error: OSError) -> OSError | None:
    """Return why a folder takes nothing, found by an error or by trying; None if it takes something."""
    elsewhere = error.filename is not None and not str(error.filename).startswith(str(folder))
    if error.errno in _UNWRITABLE and not (elsewhere and error.errno in _OF_FILES):
        return error
    try:
        check_writable(folder, "")
    except OSError as found:
        return found if found.errno in _UNWRITABLE else None
    return None


def check_writable(folder: Path, reason: str) -> None:
    """Make sure that a trial which failed did not fail because the disk takes nothing any more.

    Args:
        folder: The trial's.
        reason: What it said.

    Raises:
        OSError: The disk takes nothing.
    """
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):  # not what a model may have met elsewhere
        if os.strerror(number) in reason:
            raise OSError(number, os.strerror(number), str(folder))
    probe = (folder if folder.is_dir() else folder.parent) / f".probe.{os.getpid()}"
    try:
        with probe.open("wb") as stream:
            stream.write(b"\0" * _PROBE_BYTES)
            stream.flush()
            os.fsync(stream.fileno())
    finally:
        probe.unlink(missing_ok=True)


class CheckpointLimit:
    """Keep the checkpoints of a sweep below a size.

    Trials that may go on keep what they need to. Finished ones have their best and their last; while
    all take more than the limit, the worst of them keep one: their best, else their last. That one is
    the only copy, and is never deleted here.

    Args:
        sweep_dir: The sweep.
        limit: In bytes.
    """

    def __init__(self, sweep_dir: SweepDir, limit: int) -> None:
        self._dir = sweep_dir
        self._limit = limit
        self._finished: dict[int, int] = {}  # bytes of trials that will not run again
        self._waiting: dict[int, int] = {}  # of those that do not run now: there may be thousands that are paused
        self._reducible: dict[int, tuple[float, Sequence[int]]] = {}  # of finished ones: loss, steps, the best first
        self._said = False

    def count_finished(self, trial: int, loss: float, ranked: Sequence[int]) -> None:
        """Count a trial that will not run again.

        Args:
            trial: Its number.
            loss: Of its objective, lower is better; infinite if it has none.
            ranked: Global steps that were evaluated, the best first.
        """
        self._waiting.pop(trial, None)
        self._finished[trial] = self._size(trial)
        self._reducible[trial] = (loss, ranked)

    def enforce(self, running: Iterable[int], waiting: Iterable[int]) -> str:
        """Delete what may go while there is too much.

        Args:
            running: Numbers of the trials that run, whose folders grow.
            waiting: Of those that may go on.

        Returns:
            A line worth saying, or nothing.
        """
        running = list(running)
        for number in running:
            self._waiting.pop(number, None)
        total = sum(self._finished.values()) + sum(map(self._size, running)) + sum(map(self._waiting_size, waiting))
        for trial in sorted(self._reducible, key=lambda number: self._reducible[number][0], reverse=True):
            if total <= self._limit:
                return ""
            _, ranked = self._reducible.pop(trial)
            freed = checkpoints.keep_one(self._dir.trial(trial).path, ranked)
            self._finished[trial] -= freed
            total -= freed
        if total <= self._limit or self._said:
            return ""
        self._said = True
        return (
            f"note: checkpoints take {show_size(total)}, more than max_checkpoint_bytes ({show_size(self._limit)}): "
            f"what is left is needed or the only copy; tuner delete {self._dir.name}:TRIAL makes room"
        )

    def _size(self, trial: int) -> int:
        return checkpoints.size(self._dir.trial(trial).path)

    def _waiting_size(self, trial: int) -> int:
        if trial not in self._waiting:
            self._waiting[trial] = self._size(trial)
        return self._waiting[trial]
