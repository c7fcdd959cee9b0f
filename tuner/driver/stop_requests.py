"""Who may stop a sweep: Ctrl-C, SIGTERM, the end of its terminal, and ``tuner stop``."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir
from tuner.processes import into_void

_ANSWER_S = 0.3  # from a signal to an answer, if whoever is to obey is busy with something else


class StoppedAtStart(KeyboardInterrupt):
    """A signal came before the first trial was begun.

    Args:
        exit_status: What a process that was stopped this way exits with.
    """

    def __init__(self, exit_status: int) -> None:
        super().__init__()
        self.exit_status = exit_status


class StopRequests:
    """Collect requests to stop: the first stops trials at their checkpoints, a second at once.

    Make it before the sweep is locked, so that no request of somebody who finds the sweep locked is missed. A file
    that was there before was meant for earlier drivers. Nobody removes it, as several drivers may have to see it.

    Args:
        file: Another process asks by writing this file.

    Attributes:
        signals: How many signals came.
        signum: The last one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._before = _version(file)
        self._by_file = False
        self._noticed = False
        self._gives_up = False
        self._say: Callable[[str], None] = lambda line: None  # noqa: ARG005
        self.signals = 0
        self.signum = signal.SIGINT

    @property
    def asked(self) -> bool:
        """Whether anybody asked; once it is so, it stays so."""
        self._noticed = self.signals > 0
        self._by_file = self._by_file or _version(self._file) not in (None, self._before)
        return self.signals > 0 or self._by_file

    @property
    def at_once(self) -> bool:
        """Whether somebody asked twice."""
        return self.signals > 1

    @property
    def exit_status(self) -> int:
        """What a process that was stopped this way exits with: 130, 143 or 129."""
        return 128 + int(self.signum)

    def requests(self) -> int:
        """Return how often somebody asked.

        Raises:
            StoppedAtStart: A signal came and nothing is begun. What is imported then may swallow what it raised.
        """
        self._raise_at_start()
        return max(self.signals, int(self.asked))

    def ask(self, signum: int = signal.SIGINT) -> None:
        """Ask the sweep to stop."""
        self.signum = signal.Signals(signum)
        self.signals += 1

    @contextmanager
    def giving_up(self) -> Iterator[None]:
        """Raise at once if a signal comes inside the block: nothing is begun yet that has to be stopped.

        Raises:
            StoppedAtStart: One came, perhaps before.
        """
        self._gives_up = True
        try:
            self._raise_at_start()
            yield
            self._raise_at_start()
        finally:
            self._gives_up = False

    @contextmanager
    def listening(self, say: Callable[[str], None] | None = None) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP as requests inside the block, if this thread may set handlers.

        SIGHUP only if it would end the process: under ``nohup`` it is ignored, and stays so.

        Args:
            say: Answers a signal that nobody has noticed a moment later, from a thread of its own.
        """
        self._say = say or self._say
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(signum: int, _frame: FrameType | None) -> None:
            if signum == signal.SIGHUP:
                _leave_terminal()
            self.ask(signum)
            if self.signals == 1:
                threading.Thread(target=self._answer, daemon=True).start()
            self._raise_at_start()

        heeded = [signal.SIGINT, signal.SIGTERM]
        heeded += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL else []
        before = {signum: signal.signal(signum, heard) for signum in heeded}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _raise_at_start(self) -> None:
        if self._gives_up and self.signals:
            raise StoppedAtStart(self.exit_status)

    def _answer(self) -> None:
        time.sleep(_ANSWER_S)
        if not self._noticed:
            self._say("stopping")


def _leave_terminal() -> None:
    """Write into the void what went to a terminal: it is gone, and writing to it fails."""
    for fd in (1, 2):
        with suppress(OSError):
            if os.isatty(fd) or _is_gone(fd):
                into_void(fd)


def _is_gone(fd: int) -> bool:
    try:
        os.write(fd, b"")
    except OSError:
        return True
    return False


def request_stop(file: Path) -> None:
    """Ask the drivers that watch ``file`` to stop."""
    write_whole(file, f"{os.getpid()}\n")


def trials_to_stop(sweep_dir: SweepDir) -> list[int]:
    """Return the numbers of the trials that somebody asked to stop, whichever driver runs them."""
    try:
        names = os.listdir(sweep_dir.stop_trial_file(0).parent)  # noqa: PTH208 - only names are wanted, often
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isdecimal())


def _version(file: Path) -> tuple[int, int] | None:
    """Return what tells a request from an earlier one, or None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
