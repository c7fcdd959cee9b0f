"""Who may stop a sweep: Ctrl-C, SIGTERM, and ``tuner stop``."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class StopRequests:
    """Collect requests to stop: the first stops trials at their checkpoints, a second at once.

    Args:
        file: Another process asks by making this file.

    Attributes:
        signals: How many signals came.
        signum: The last one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.signals = 0
        self.signum = signal.SIGINT
        file.unlink(missing_ok=True)

    @property
    def asked(self) -> bool:
        """Whether anybody asked."""
        return self.signals > 0 or self._file.exists()

    @property
    def at_once(self) -> bool:
        """Whether somebody asked twice."""
        return self.signals > 1

    @property
    def exit_status(self) -> int:
        """What a process that was stopped this way exits with: 130 or 143."""
        return 128 + int(self.signum)

    def ask(self, signum: int = signal.SIGINT) -> None:
        """Ask the sweep to stop."""
        self.signum = signal.Signals(signum)
        self.signals += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as requests meanwhile, where this thread may set handlers."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(signum: int, _frame: FrameType | None) -> None:
            self.ask(signum)

        before = {signum: signal.signal(signum, heard) for signum in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)
            self._file.unlink(missing_ok=True)


def request_stop(file: Path) -> None:
    """Ask the driver that watches ``file`` to stop."""
    file.write_text(f"{os.getpid()}\n", encoding="utf-8")
