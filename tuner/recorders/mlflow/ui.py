"""MLflow's own UI on a store, as a process that ends with the one that started it.

Bound to loopback, with background jobs and telemetry off. ``python -m tuner.recorders.mlflow.ui ARTIFACTS PORT``,
the store in MLFLOW_TRACKING_URI, is the process; its standard input ends when nobody wants it any more.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from tuner.errors import InvalidInput, Problem, RecorderError
from tuner.files.paths import Root
from tuner.hiding import hidden
from tuner.recorders.mlflow.store import (
    count_rows,
    environment_with,
    is_local_store,
    make_database,
    prepare_environment,
    relocate_artifacts,
)

HOST = "127.0.0.1"
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to this machine
_LOG_LINES = 12
_END_S = 10.0


class MlflowUi:
    """Run MLflow's UI.

    Args:
        root: Folder of the records; new artefacts go below it.
        uri: The store: a database.
        port: On loopback.
    """

    def __init__(self, root: Root, uri: str, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._root = root
        self._uri = uri
        self._port = port
        made, log_file = tempfile.mkstemp(prefix="tuner-ui-", suffix=".log")
        os.close(made)
        self._log_file = Path(log_file)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MlflowUi:
        prepare_environment()
        if is_local_store(self._root, self._uri):
            make_database(self._root)
            relocate_artifacts(self._root)
            count_rows(self._root)
        arguments = [self._root.artifacts_dir.as_uri(), str(self._port)]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tuner.recorders.mlflow.ui", *arguments],
                env=environment_with(self._uri),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C of the terminal is ours to handle
            )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever did not end
        process.wait()
        self._log_file.unlink(missing_ok=True)

    def wait_ready(self, timeout_s: float = 120.0) -> None:
        """Return when pages are served.

        Raises:
            RecorderError: The server ended, or does not answer.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.check()
            try:
                _DIRECTLY.open(f"{self.url}/health", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RecorderError("MLflow's UI does not answer", self._tail())

    def check(self) -> None:
        """Make sure that the server is running.

        Raises:
            RecorderError: It ended.
        """
        if self._process is not None and self._process.poll() is not None:
            if "address already in use" in self._tail():  # taken since it was looked at
                check_port(self._port)
            raise RecorderError("MLflow's UI ended", self._tail())

    def _tail(self) -> str:
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return hidden("\n  ".join(lines[-_LOG_LINES:]))


def check_port(port: int) -> None:
    """Make sure that nobody listens on a port of loopback.

    Raises:
        InvalidInput: Somebody does; the next free port is named.
    """
    if _free(port):
        return
    near = next((other for other in range(port + 1, min(port + 200, 65536)) if _free(other)), None)
    hint = f"a free one: --port {near}" if near is not None else "name another with --port"
    raise InvalidInput("", [Problem("--port", f"{port} is taken", hint)])


def _free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
        return True


def main() -> None:
    """Serve until standard input ends."""
    prepare_environment()
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    threading.Thread(target=_end_with_input, daemon=True).start()
    from mlflow.cli import cli

    uri, (artifacts, port) = os.environ["MLFLOW_TRACKING_URI"], sys.argv[1:3]
    place = ["--backend-store-uri", uri, "--default-artifact-root", artifacts, "--no-serve-artifacts"]
    cli(["server", *place, "--host", HOST, "--port", port, "--workers", "1"])


def _end_with_input() -> None:
    """End this process and its children, which share its group, when standard input ends."""
    while os.read(0, 4096):
        pass
    os.killpg(os.getpid(), signal.SIGTERM)
    time.sleep(_END_S / 2)
    os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
