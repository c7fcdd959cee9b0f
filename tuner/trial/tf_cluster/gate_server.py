"""The gate over TCP: the chief's process serves, each worker's asks.

Lines: the chief's process says a word that was never said before; a worker answers with one of its own, its
name, and the proof that it knows the attempt's secret; the chief proves the same. Then the worker says
``begin``, and hears ``go`` when the chief has begun; then, again and again, ``step``, hears ``go``, says
``done``. It hears ``over`` instead when training is over. A connection that ends gives back what its worker
had been given, and so does another one of that name. Who proves nothing is left alone after ten seconds.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from tuner.trial.tf_cluster.gate import StepGate

_RETRY_S = 0.05
_PROOF_S = 10.0  # how long either end waits for the other one's proof
_LINE = 300  # characters of a line of it, at most


class GateServer:
    """Serve a gate until the process ends, in threads of its own.

    Args:
        gate: The gate.
        address: ``HOST:PORT`` to listen at.
        secret: What workers know, too.
    """

    def __init__(self, gate: StepGate, address: str, secret: str) -> None:
        host, _, port = address.rpartition(":")
        self._gate = gate
        self._secret = secret
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
        with connection, contextlib.suppress(OSError, ValueError), connection.makefile("r", encoding="ascii") as lines:
            name = self._proven(connection, lines)
            if not name:
                return
            self._gate.worker_lost(self._here.get(name))  # its machine may have vanished without a word
            self._here[name] = who
            for line in lines:
                if line == "done\n":
                    self._gate.worker_stepped(who)
                else:
                    go = self._gate.worker_may_step(who) if line == "step\n" else self._gate.wait_open()
                    connection.sendall(b"go\n" if go else b"over\n")
        self._gate.worker_lost(who)

    def _proven(self, connection: socket.socket, lines: TextIO) -> str:
        """Return the name of a worker that knows the secret, having proven the same; empty if it does not."""
        mine = secrets.token_hex(16)
        connection.settimeout(_PROOF_S)
        connection.sendall(f"{mine}\n".encode("ascii"))
        theirs, _, said = lines.readline(_LINE).rstrip("\n").partition(" ")
        proof, _, name = said.partition(" ")
        if not hmac.compare_digest(proof, _proof(self._secret, "worker", mine, theirs, name)):
            return ""
        connection.sendall(f"{_proof(self._secret, 'chief', mine, theirs, name)}\n".encode("ascii"))
        connection.settimeout(None)
        return name


def _proof(secret: str, *words: str) -> str:
    """Return what proves that one knows a secret, without saying it."""
    return hmac.new(secret.encode(), "\n".join(words).encode(), "sha256").hexdigest()


class GateClient:
    """Ask the chief's gate.

    Args:
        address: Its ``HOST:PORT``.
        name: Who asks.
        ends: Whether this task was asked to end. A chief that is gone without having said that training is
            over takes its tasks with it: until then they wait.
        secret: What the chief knows, too.
    """

    def __init__(self, address: str, name: str, ends: Callable[[], bool], secret: str) -> None:
        self._address = address
        self._name = name
        self._ends = ends
        self._secret = secret
        self._socket: socket.socket | None = None
        self._lines: Any = None

    def connect(self) -> bool:
        """Connect, anew if there was a connection; waits until the chief listens, or this task is to end."""
        self.close()
        host, _, port = self._address.rpartition(":")
        while not self._ends():
            try:
                self._socket = socket.create_connection((host, int(port)), timeout=_PROOF_S)
                self._lines = self._socket.makefile("r", encoding="ascii")
                if self._proven():
                    self._socket.settimeout(None)
                    self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return True
            except OSError:
                pass
            self.close()
            time.sleep(_RETRY_S)
        return False

    def _proven(self) -> bool:
        """Prove to the chief that one knows the secret; return whether it has proven the same."""
        theirs, mine = self._lines.readline(_LINE).rstrip("\n"), secrets.token_hex(16)
        self._send(f"{mine} {_proof(self._secret, 'worker', theirs, mine, self._name)} {self._name}")
        answer = self._lines.readline(_LINE).rstrip("\n")
        return hmac.compare_digest(answer, _proof(self._secret, "chief", theirs, mine, self._name))

    def begun(self) -> bool:
        """Wait until the chief has begun; False when training is over."""
        return self._ask("begin")

    def may_step(self) -> bool:
        """Wait until a step may be taken; False when training is over."""
        return self._ask("step")

    def stepped(self) -> None:
        """Say that the step was taken."""
        self._send("done")

    def close(self) -> None:
        """Leave; what was given is given back."""
        if self._socket is not None:
            if self._lines is not None:
                self._lines.close()
            self._socket.close()
            self._socket = self._lines = None

    def _send(self, line: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the next question finds out
                self._socket.sendall(f"{line}\n".encode("ascii"))

    def _ask(self, question: str) -> bool:
        self._send(question)
        answer = ""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                answer = self._lines.readline()
        while not answer and not self._ends():
            time.sleep(_RETRY_S)
        return answer == "go\n"
