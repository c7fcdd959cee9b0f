"""A process of the export that was forked from the fork server, used as one that was started."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from typing import Any

_PATIENCE_S = 5.0  # with one that is told to end


class Forked:
    """What the export uses of ``subprocess.Popen``, over the socket that is the process's standard input.

    Args:
        connection: Our end of it.

    Attributes:
        stdin: Takes words for it.
        returncode: 0 when it has ended, however it did: only its parent is told that.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.stdin = connection.makefile("wb", buffering=0)
        self.returncode: Any = None

    def poll(self) -> Any:
        """Return whether it has ended, as ``returncode``."""
        return self._heard(0)

    def kill(self) -> None:
        """Tell it to end, at once."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def wait(self) -> Any:
        """Wait until it has ended, or has not when it should have."""
        self._heard(_PATIENCE_S)
        self._connection.close()
        return self.returncode

    def _heard(self, timeout_s: float) -> Any:
        if self.returncode is None and select.select([self._connection], [], [], timeout_s)[0]:
            self.returncode = 0  # it says nothing: that there is something to read is its end
        return self.returncode
