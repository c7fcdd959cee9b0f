"""Where the tasks of a cluster listen: addresses that nobody else takes while the trial lives."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.domain.tf_cluster import Name
from tuner.errors import BackendError


@dataclass(frozen=True)
class ReservedAddresses:
    """Addresses of one trial.

    Attributes:
        addresses: Of each task, ``HOST:PORT``.
        gate: At which the chief hands out steps.
        release: Gives them back.
    """

    addresses: dict[Name, str]
    gate: str
    release: Callable[[], None]


class AddressSource(Protocol):
    """Finds addresses."""

    def reserve(self, trial: int, names: Sequence[Name]) -> ReservedAddresses | None:
        """Return addresses for the tasks of a trial; None while there is no room for all of them.

        Raises:
            BackendError: There are none.
        """


class ReservedPorts:
    """Free ports, held by sockets that do not listen.

    TensorFlow's servers and ours bind a port beside its socket, so that no other process can take it
    between a look and its use.

    Args:
        count: How many.
        host: Of which address; empty for all.

    Attributes:
        ports: Their numbers.
    """

    def __init__(self, count: int, host: str) -> None:
        self._sockets: list[socket.socket] = []
        try:
            for _ in range(count):
                one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                self._sockets.append(one)
                if hasattr(socket, "SO_REUSEPORT"):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                one.bind((host, 0))
        except OSError as error:
            self.release()
            raise BackendError(f"no ports for the tasks of a trial: {error.strerror}") from error
        self.ports = [one.getsockname()[1] for one in self._sockets]

    def release(self) -> None:
        """Let others have them."""
        for one in self._sockets:
            one.close()


class LocalAddresses:
    """Find ports of this machine's loopback device; see ``AddressSource``."""

    def reserve(self, trial: int, names: Sequence[Name]) -> ReservedAddresses:
        del trial
        held = ReservedPorts(len(names) + 1, "127.0.0.1")
        found = [f"127.0.0.1:{port}" for port in held.ports]
        return ReservedAddresses(dict(zip(names, found, strict=False)), found[-1], held.release)
