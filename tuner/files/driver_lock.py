"""One driver at a time on a journal sweep: a lock with the pid and host of its holder.

On one host the kernel releases the lock when its holder dies. A lock taken on another host (a shared
folder) is not seen by the kernel everywhere, so the holder also touches the file; one that was not
touched for a minute counts as left by a dead driver.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.errors import SweepLocked
from tuner.files.paths import SweepDir

STALE_S = 60.0
_BEAT_S = 10.0
_TRIES, _BETWEEN_S = 10, 0.02  # somebody who looks whether it is held, holds it for microseconds


class DriverLock:
    """Hold a sweep while working on it; a context manager.

    Args:
        file: The lock's file; it stays when the lock is released.

    Attributes:
        left: What a driver that died, or failed, has left there of itself: when it began to work and when it was
            last alive, in seconds since 1970; or None.

    Raises:
        SweepLocked: Another living driver holds it; says its pid and host.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stop = threading.Event()
        self.left: tuple[float, float] | None = None

    def __enter__(self) -> DriverLock:
        self._stream = self._file.open("a+")
        if not self._taken():
            self._stream.close()
            raise self._refusal()
        there = holder(self._file)
        if there.get("host", socket.gethostname()) != socket.gethostname() and _age_s(self._file) < STALE_S:
            self._stream.close()
            raise self._refusal()
        if isinstance(there.get("time"), float):
            self.left = there["time"], self._file.stat().st_mtime
        elif _is_span(there.get("left")):
            self.left = there["left"][0], there["left"][1]
        self._write(left=self.left)
        self._beat = threading.Thread(target=self._keep_alive, name="driver-lock", daemon=True)
        self._beat.start()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        self._stop.set()
        self._beat.join()
        with contextlib.suppress(OSError):
            if kind is None:
                self._stream.truncate(0)  # nobody holds it
            else:
                os.utime(self._file)  # it may not have noted how long it ran
        self._stream.close()

    def begin_work(self) -> None:
        """Count this driver's time from now on: the study is open, and has what was left of the one before.

        One that is refused before, or killed, has spent nothing of the sweep's time, and leaves what it found.
        """
        self._write(time=time.time())

    def end_work(self) -> None:
        """Count this driver's time no more."""
        self._write()

    def _write(self, **more: Any) -> None:
        self._stream.truncate(0)
        self._stream.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), **more}))
        self._stream.flush()

    def _taken(self) -> bool:
        """Take the lock; False if another one holds it."""
        for attempt in range(_TRIES):
            try:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_BETWEEN_S * (attempt < _TRIES - 1))
            else:
                return True
        return False

    def _refusal(self) -> SweepLocked:
        return refusal(self._file.parent.name, [holder(self._file)])

    def _keep_alive(self) -> None:
        while not self._stop.wait(_BEAT_S):
            with contextlib.suppress(OSError):  # a write that matters will report it
                os.utime(self._file)


def holder(file: Path) -> dict[str, Any]:
    """Return pid, host and time of the driver that holds or held the lock; empty if there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(one, float) for one in value)


def at_work(sweep_dir: SweepDir) -> list[dict[str, Any]]:
    """Return pid, host and time of each living driver of a sweep: one, or those that share its study."""
    files = [sweep_dir.driver_file, *sorted(sweep_dir.drivers_dir.glob("*.lock"))]
    return [holder(file) for file in files if file.exists() and held(file)]


def span_of_work(file: Path) -> tuple[float, float] | None:
    """Return from when to when the driver of a lock was at work, in seconds since 1970; None if it was not.

    A living one is until now; one that died until it last touched the file.
    """
    began = holder(file).get("time")
    if not isinstance(began, float):
        return None
    try:
        return began, time.time() if held(file) else file.stat().st_mtime
    except OSError:  # it has left meanwhile
        return None


def named(drivers: Sequence[Mapping[str, Any]]) -> str:
    """Return drivers for people: ``process 4711 on host and process 12 on other``."""
    return " and ".join(f"process {driver.get('pid', '?')} on {driver.get('host', '?')}" for driver in drivers)


def refusal(name: str, drivers: Sequence[Mapping[str, Any]]) -> SweepLocked:
    """Return the error of a sweep that these living drivers, one or several, work on."""
    them = "it" if len(drivers) == 1 else "them"
    return SweepLocked(
        f"the sweep {name!r} is being worked on by {named(drivers)}",
        f"wait for {them}, or stop {them} with: tuner stop {name}",
    )


def held(file: Path) -> bool:
    """Whether a living driver holds the lock."""
    try:
        with file.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that two who look do not see each other
    except BlockingIOError:
        return True
    except OSError:
        return False
    there = holder(file)
    other = bool(there) and there.get("host") != socket.gethostname()
    return other and _age_s(file) < STALE_S


def _age_s(file: Path) -> float:
    """Return how long ago a file was touched, by the clock of the file system, which may be another machine's."""
    try:
        with tempfile.TemporaryFile(dir=file.parent) as now:
            return os.fstat(now.fileno()).st_mtime - file.stat().st_mtime
    except OSError:  # it may only be read
        return time.time() - file.stat().st_mtime
