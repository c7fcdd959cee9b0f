"""The driver's end of the recorder's process: start it, know how it is, wait until all has arrived."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tuner.errors import RecorderError
from tuner.files.appending import open_log
from tuner.files.paths import SweepDir
from tuner.hiding import secrets_of_url
from tuner.processes import signals_blocked
from tuner.recorders.mlflow.store import environment_with
from tuner.records.log import read_sent_offset

_PROGRAM = "tuner.recorders.child"
_STARTS = 5  # of a process that dies before it has sent anything


class RecorderProcess:
    """Run the sender of a sweep's records beside the driver.

    Args:
        sweep_dir: The sweep's folder; the driver appends to the record log in it.
        uri: Tracking URI, or None for the root's own database.
        log_file: Where MLflow's own output goes.
    """

    def __init__(self, sweep_dir: SweepDir, uri: str | None, log_file: Path) -> None:
        self._dir = sweep_dir
        self._uri = uri
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._ready = False
        self._drained = False
        self._error: RecorderError | None = None
        self._away = ""
        self._who = "MLflow"  # what is unreachable: the store, or the folder with the records
        self._in_a_hurry = False
        self._starts = 0  # since it sent something last
        self._began_at = 0  # how much had been sent when it was started last
        self._said = False  # whether it was said that the store refuses records
        self._waits = ""  # which files are still made and stored
        self._notes: list[str] = []  # lines that nobody has been shown yet
        self._makes_database = uri is None and not sweep_dir.root.database_file.exists()

    def start(self) -> None:
        """Start the process; return at once."""
        self._starts += 1
        self._began_at = read_sent_offset(self._dir.sent_file)
        with open_log(self._log_file, private=bool(secrets_of_url(self._uri or ""))) as log, signals_blocked():
            self._process = subprocess.Popen(
                [sys.executable, "-m", _PROGRAM, str(self._dir.path)],
                env=environment_with(self._uri),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C of the terminal is the driver's to handle
            )
        self._buffer, self._ready, self._drained = b"", False, False

    def wait_ready(self, timeout_s: float = 120.0) -> None:
        """Return when the store can be used, or is away for now.

        A root's first database, which nobody can have spoilt yet, is made while the first trials run.

        Raises:
            RecorderError: It cannot be used as it is.
        """
        deadline = time.monotonic() + timeout_s
        while not self._ready and not self._away and not self._makes_database:
            self._look_after()
            self._listen(0.1)
            if self._error:
                raise self._error
            if time.monotonic() > deadline or self._starts > _STARTS:
                raise RecorderError(
                    "the process that records in MLflow does not start", f"its output is in {self._log_file}"
                )

    def check(self) -> str:
        """Look after the process; return what is worth saying, a line a call, else nothing.

        That the store refuses, went away or came back, and what was found in the log.
        """
        before = self._away
        self._look_after()
        if self._error and not self._said:
            self._said = True
            return f"MLflow takes no records: {self._error.message}"
        if self._away and not before:
            return f"{self._who} is away, records are kept: {self._away}"
        if before and not self._away:
            return f"{self._who} is back, what was kept is being sent"
        return self._notes.pop(0) if self._notes else ""

    def _look_after(self) -> None:
        """Take what the process says; start it again if it died."""
        self._listen(0)
        if self._process is not None and self._process.poll() is not None and not self._error:
            self._reap()
            sent = read_sent_offset(self._dir.sent_file)
            if self._ready and (sent > self._began_at or sent == self._recorded()):
                self._starts = 0
            if self._starts <= _STARTS:
                self.start()
            else:
                self._error = RecorderError(
                    f"the process that sends to MLflow died {self._starts} times before it had sent anything",
                    f"its output is in {self._log_file}; nothing is lost, tuner resume {self._dir.name} sends the rest",
                )

    def drain(self, timeout_s: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Return whether everything recorded so far arrived within ``timeout_s`` seconds.

        A store that is away is not waited for longer than a few seconds.

        Args:
            timeout_s: How long to wait at most.
            unless: Whether nobody waits any longer; ``close`` does not either then.
        """
        deadline = time.monotonic() + timeout_s
        self._drained, asked = False, None
        while not self._drained and not self._error and time.monotonic() < deadline:
            self._look_after()
            if self._process is None:
                return False
            if self._process is not asked:
                asked = self._process
                self._order(b"drain\n")
            self._listen(0.1)
            if self._away:
                deadline = min(deadline, time.monotonic() + 5.0)
            if unless():
                self._in_a_hurry = True
                break
        return self._drained

    def look(self) -> None:
        """Have what was recorded looked at now rather than within a second."""
        if self._process is not None:
            self._order(b"look\n")

    def prepare(self) -> None:
        """Have it made ready for the end of the sweep, which comes soon."""
        if self._process is not None:
            self._order(b"prepare\n")

    def status(self) -> str:
        """Say how far the store is behind, and why."""
        why = self._error.message if self._error else self._away
        missing = self._recorded() - read_sent_offset(self._dir.sent_file)
        behind = f"{missing} bytes of records wait"
        if missing <= 0:
            behind = f"all records have arrived, {self._waits or 'files beside them have not'}"
        return f"{behind} ({why})" if why else behind

    def _recorded(self) -> int:
        return self._dir.records_file.stat().st_size if self._dir.records_file.exists() else 0

    def close(self) -> None:
        """End the process; what has not arrived is sent when the sweep is resumed.

        One that is not ready yet (it imports MLflow, or makes the database) ends by itself, when it sees that its
        input has ended; killed, it would leave half a database.
        """
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        if not self._ready and not self._error:
            self._process = None
            return
        try:
            process.wait(timeout=1 if self._away or self._in_a_hurry else 25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()
        self._process = None

    def _order(self, order: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(order)
            self._process.stdin.flush()

    def _listen(self, timeout_s: float) -> bool:
        """Take what the process says; False when it said nothing in time or is gone."""
        if self._process is None or self._process.stdout is None:
            return False
        stream = self._process.stdout.fileno()
        if not select.select([stream], [], [], max(0.0, timeout_s))[0]:
            return False
        data = os.read(stream, 65536)
        if not data:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._on_line(line)
        return True

    def _on_line(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return  # a library wrote to standard output
        event = said.get("event")
        if event in ("ready", "back"):
            self._ready, self._away = True, ""
        elif event == "away":
            self._away, self._who = said["message"], said["who"]
        elif event == "drained":
            self._drained = True
        elif event == "waits":
            self._waits = said["message"]
        elif event == "note":
            self._notes.append(said["message"])
        elif event == "error":
            self._error = RecorderError(said["message"], said["hint"])
