"""Work that is let go on in the middle by whoever called it, and waited for later: a thread that waits in between."""

from __future__ import annotations

from collections.abc import Callable
from threading import Semaphore, Thread
from typing import Any

THREAD = "suspended work"


class Suspended:
    """Run ``work`` in a thread, never beside the caller: either the one runs or the other.

    Args:
        work: Calls ``suspend`` to let the caller go on meanwhile; the second call does nothing.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._caller, self._worker = Semaphore(0), Semaphore(0)
        self._error: BaseException | None = None
        self._over = self._was_suspended = False
        self._thread = Thread(target=self._run, name=THREAD, daemon=True)

    def start(self) -> bool:
        """Run until ``suspend`` is called or the work is done; say whether it was suspended.

        Raises:
            BaseException: What the work raised.
        """
        self._thread.start()
        self._caller.acquire()
        self._raise()
        return not self._over

    def suspend(self) -> None:
        """Let the caller go on until it finishes this; called by the work."""
        if self._was_suspended:
            return
        self._was_suspended = True
        self._caller.release()
        self._worker.acquire()

    def finish(self) -> None:
        """Let the work go on to its end.

        Raises:
            BaseException: What the work raised.
        """
        self._worker.release()
        self._caller.acquire()
        self._raise()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        self._over = True
        self._caller.release()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
