"""The drivers that work on one sweep at the same time, and which of them live.

Each holds a lock of its own in the sweep's folder, which all of them share; a trial that runs notes its
driver. The kernel frees the lock of a driver that died on this host; one on another host counts as
dead when it has not touched its lock for a minute (see ``tuner.files.driver_lock``).
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from tuner.files.driver_lock import DriverLock, at_work, held, span_of_work
from tuner.files.paths import SweepDir
from tuner.study.database import StudyLock

LOOK_S = 1.0  # from one look at what the others have done to the next, while there is nothing to start


class SoleDriver:
    """The only driver of a sweep: nobody else asks, and nobody is to be waited for.

    Args:
        lock: Of the sweep, held; None if it needs none.
    """

    name = ""
    due = True

    def __init__(self, lock: DriverLock | None = None) -> None:
        self._lock = lock

    def unrecorded_s(self, noted_at: float) -> float:
        """Return how long a driver that died was at work without having noted it.

        Args:
            noted_at: When running time was noted last, in seconds since 1970.
        """
        left = self._lock.left if self._lock is not None else None
        if left is None or left[0] < noted_at:
            return 0.0
        began, alive = left
        return max(0.0, alive - began)

    def begin_work(self) -> None:
        """Count this driver's time from now on."""
        if self._lock is not None:
            self._lock.begin_work()

    def end_work(self) -> None:
        """Count no more: the study has all of this driver's time."""
        if self._lock is not None:
            self._lock.end_work()

    def exclusive(self) -> AbstractContextManager[bool]:
        """Enter at once; False: there are no others."""
        return nullcontext(False)

    def is_alive(self, driver: str) -> bool:  # noqa: ARG002
        """Whether another driver is at work: none is."""
        return False

    def is_alone(self) -> bool:
        """Whether no other driver is at work."""
        return True

    def leave(self) -> bool:
        """Be at work no more; return whether no other driver is."""
        return True


class SharedDrivers:
    """This driver among those of a sweep; a context manager that holds its lock.

    Args:
        sweep_dir: The sweep's folder.
        lock: Of the study.

    Attributes:
        name: What trials that this driver runs note.
    """

    def __init__(self, sweep_dir: SweepDir, lock: StudyLock) -> None:
        self._dir = sweep_dir
        self._study_lock = lock
        self._looked = 0.0
        self._has_left = False
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def unrecorded_s(self, noted_at: float) -> float:
        """Return for how long any driver, living or dead, was at work since running time was noted last.

        Args:
            noted_at: In seconds since 1970.
        """
        found = 0.0
        for began, alive in sorted(filter(None, map(span_of_work, self._dir.drivers_dir.glob("*.lock")))):
            found += max(0.0, alive - max(began, noted_at))
            noted_at = max(noted_at, alive)
        return found

    def begin_work(self) -> None:
        """Count this driver's time from now on."""
        self._lock.begin_work()

    def end_work(self) -> None:
        """Count no more: the study has all of this driver's time."""
        self._lock.end_work()

    def __enter__(self) -> SharedDrivers:
        self._dir.drivers_dir.mkdir(parents=True, exist_ok=True)
        self._lock = DriverLock(self._dir.driver(self.name))
        self._lock.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        if not self._has_left:
            self._has_left = True
            self._lock.__exit__(kind)
            if kind is None:  # else it may not have noted how long it ran
                self._dir.driver(self.name).unlink(missing_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Enter while no other driver counts, asks or takes up; True: see first what the others have done."""
        with self._study_lock.held():
            yield True

    @property
    def due(self) -> bool:
        """Whether it is time to look at what the others have done."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return False
        self._looked = now
        return True

    def is_alive(self, driver: str) -> bool:
        """Whether a driver is at work; an empty name is that of one that died before it noted its name."""
        file = self._dir.driver(driver)
        return driver == self.name or (bool(driver) and file.exists() and held(file))

    def is_alone(self) -> bool:
        """Whether no other driver is at work."""
        return len(at_work(self._dir)) < 2

    def leave(self) -> bool:
        """Be at work no more; return whether no other driver is: the last of several gets True."""
        with self._study_lock.held():
            self.__exit__()
            return not at_work(self._dir)
