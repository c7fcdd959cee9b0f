"""Where the tasks of a cluster listen: addresses that nobody else takes while the trial lives."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.errors import BackendError
from tuner.tasks import Name


@dataclass(frozen=True)
class Reserved:
    """Addresses of one trial.

    Attributes:
        addresses: Of each task, ``HOST:PORT``.
        gate: At which the chief hands out steps.
        release: Gives them back.
    """

    addresses: dict[Name, str]
    gate: str
    release: Callable[[], None]


class Places(Protocol):
    """Finds addresses."""

    def reserve(self, names: Sequence[Name]) -> Reserved:
        """Return addresses for the tasks of a trial.

        Raises:
            BackendError: There are none.
        """


class Loopback:
    """Free ports of this machine's loopback device.

    A port is held by a socket that does not listen; TensorFlow's servers and ours bind it beside
    that one, so that no other process can take it between a look and its use.
    """

    def reserve(self, names: Sequence[Name]) -> Reserved:
        held: list[socket.socket] = []

        def release() -> None:
            for one in held:
                one.close()

        try:
            for _ in range(len(names) + 1):
                one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                held.append(one)
                if hasattr(socket, "SO_REUSEPORT"):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                one.bind(("127.0.0.1", 0))
        except OSError as error:
            release()
            raise BackendError(f"no ports for the tasks of a trial: {error.strerror}") from error
        found = [f"127.0.0.1:{one.getsockname()[1]}" for one in held]
        return Reserved(dict(zip(names, found, strict=False)), found[-1], release)
