"""Whoever reads what a command writes may leave before its end: ``head``, a terminal, ``tee`` at the same Ctrl-C."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

from tuner.processes import into_void

_GONE = (errno.EPIPE, errno.EIO)
_left: list[int] = []  # file descriptors that nobody reads any more


class _Outlet(io.FileIO):
    """An output that goes nowhere from the moment its reader has left: what the command does is not the reader's."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            _left.append(self.fileno())
            into_void(self.fileno())
            return super().write(data)


def outlive_readers() -> None:
    """Let no write to standard output or error fail because its reader has left, that at the exit included."""
    sys.stdout, sys.stderr = _outlived(sys.stdout), _outlived(sys.stderr)


def _outlived(stream: Any) -> Any:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # closed, or a program's own
    return io.TextIOWrapper(
        io.BufferedWriter(_Outlet(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )


def has_left() -> bool:
    """Whether a reader has left, as far as writing has shown: what only shows to it has an end then."""
    return bool(_left)
