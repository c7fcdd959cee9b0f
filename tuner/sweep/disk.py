"""What the disk under a sweep can do to it: be full, turn read-only, hold more checkpoints than wanted."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import StoreError
from tuner.paths import SweepDir
from tuner.sizes import show_size
from tuner.trial import checkpoints

_UNWRITABLE = {
    errno.ENOSPC: ("the disk is full", "make room"),
    errno.EDQUOT: ("the disk quota is used up", "make room"),
    errno.EFBIG: ("a file would be larger than this process may write (ulimit -f)", "raise that limit"),
    errno.EROFS: ("it is on a read-only file system", "make it writable"),
    errno.EIO: ("the disk answers with input/output errors", "look after it"),
}
_PROBE_BYTES = 1 << 18  # more than a sweep writes between two looks


@contextmanager
def disk_faults(sweep_dir: SweepDir) -> Iterator[None]:
    """Make of an error of the disk one that says what to do.

    Raises:
        StoreError: The disk is full or read-only. What was recorded is there, and the sweep can be
            resumed.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        found, remedy = _UNWRITABLE[error.errno]
        raise StoreError(
            f"cannot write to {sweep_dir.path}: {found} ({error.strerror})",
            f"nothing recorded is lost; {remedy}, then: tuner resume {sweep_dir.name}",
        ) from error


def check_writable(folder: Path, reason: str) -> None:
    """Make sure that a trial which failed did not fail because the disk takes nothing any more.

    Args:
        folder: The trial's.
        reason: What it said.

    Raises:
        OSError: The disk takes nothing.
    """
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
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

    Trials that may go on keep what they need to. Settled ones have their best and their last; while
    all take more than the limit, the worst of them keep one: their best, else their last. That one is
    the only copy, and is never deleted here.

    Args:
        sweep_dir: The sweep.
        limit: In bytes.
    """

    def __init__(self, sweep_dir: SweepDir, limit: int) -> None:
        self._dir = sweep_dir
        self._limit = limit
        self._settled: dict[int, int] = {}  # bytes of trials that will not run again
        self._waiting: dict[int, int] = {}  # of those that do not run now: there may be thousands that are paused
        self._reducible: dict[int, tuple[float, int | None]] = {}  # of those: loss, step of the best
        self._said = False

    def settle(self, trial: int, loss: float, best_step: int | None) -> None:
        """Count a trial that will not run again.

        Args:
            trial: Its number.
            loss: Of its objective, less is better; infinite where it has none.
            best_step: Global step of its best evaluation, or None.
        """
        self._waiting.pop(trial, None)
        self._settled[trial] = self._size(trial)
        self._reducible[trial] = (loss, best_step)

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
        total = sum(self._settled.values()) + sum(map(self._size, running)) + sum(map(self._waiting_size, waiting))
        for trial in sorted(self._reducible, key=lambda number: self._reducible[number][0], reverse=True):
            if total <= self._limit:
                return ""
            _, best_step = self._reducible.pop(trial)
            freed = checkpoints.keep_one(self._dir.trial(trial).path, best_step)
            self._settled[trial] -= freed
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
