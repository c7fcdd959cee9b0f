"""The gate over TCP: the chief's process serves, each worker's asks.

Lines: a worker says its name once; ``begin``, and hears ``go`` when the chief has begun; then, again and
again, ``step``, hears ``go``, says ``done``. It hears ``over`` instead when training is over. A
connection that ends gives back what its worker had been given, and so does another one of that name.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from tuner.trial.cluster.gate import StepGate

_RETRY_S = 0.05


class GateServer:
    """Serve a gate until the process ends, in threads of its own.

    Args:
        gate: The gate.
        address: ``HOST:PORT`` to listen at.
    """

    def __init__(self, gate: StepGate, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._gate = gate
        self._here: dict[str, object] = {}  # worker's name to what the gate knows it by
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):  # the backend holds the port for us
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((host, int(port)))
        self._socket.listen()
        threading.Thread(target=self._accept, name="gate", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        who = object()
        with connection, contextlib.suppress(OSError), connection.makefile("r", encoding="ascii") as lines:
            name = lines.readline()
            self._gate.worker_lost(self._here.get(name))  # its machine may have vanished without a word
            self._here[name] = who
            for line in lines:
                if line == "done\n":
                    self._gate.worker_stepped(who)
                else:
                    go = self._gate.worker_may_step(who) if line == "step\n" else self._gate.wait_open()
                    connection.sendall(b"go\n" if go else b"over\n")
        self._gate.worker_lost(who)


class GateClient:
    """Ask the chief's gate.

    Args:
        address: Its ``HOST:PORT``.
        name: Who asks.
        ends: Whether this task was asked to end. A chief that is gone without having said that training is
            over takes its tasks with it: until then they wait.
    """

    def __init__(self, address: str, name: str, ends: Callable[[], bool]) -> None:
        self._address = address
        self._name = name
        self._ends = ends
        self._socket: socket.socket | None = None
        self._lines: Any = None

    def connect(self) -> bool:
        """Connect, anew where there was a connection; waits until the chief listens, or this task is to end."""
        self.close()
        host, _, port = self._address.rpartition(":")
        while not self._ends():
            try:
                self._socket = socket.create_connection((host, int(port)), timeout=10)
                break
            except OSError:
                time.sleep(_RETRY_S)
        if self._socket is None:
            return False
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("r", encoding="ascii")
        self._say(self._name)
        return True

    def begun(self) -> bool:
        """Wait until the chief has begun; False when training is over."""
        return self._ask("begin")

    def may_step(self) -> bool:
        """Wait until a step may be taken; False when training is over."""
        return self._ask("step")

    def stepped(self) -> None:
        """Say that the step was taken."""
        self._say("done")

    def close(self) -> None:
        """Leave; what was given is given back."""
        if self._socket is not None:
            self._lines.close()
            self._socket.close()
            self._socket = None

    def _say(self, line: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the next question finds out
                self._socket.sendall(f"{line}\n".encode("ascii"))

    def _ask(self, question: str) -> bool:
        self._say(question)
        answer = ""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                answer = self._lines.readline()
        while not answer and not self._ends():
            time.sleep(_RETRY_S)
        return answer == "go\n"
