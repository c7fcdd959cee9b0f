"""The files of a sweep's run, made in a process beside the recorder's; see ``tuner.recorders.drawing_process``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tuner.files.paths import SweepDir
from tuner.processes import signals_blocked

IMPORTANCE = ".importance.json"
_PROGRAM = "tuner.recorders.drawing_process"


class SweepFiles:
    """Make the files of a sweep's run in a process of their own: records never wait for pictures.

    What making them takes of memory goes with that process.

    Args:
        sweep_dir: The sweep's folder.
    """

    def __init__(self, sweep_dir: SweepDir) -> None:
        self._dir = sweep_dir
        self._ready: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start the process for the last files, if there is room: it imports what it needs and waits."""
        if self._ready is None:
            with contextlib.suppress(OSError):
                self._ready = self._start()

    def __call__(self, folder: Path, closing: bool) -> DrawingProcess:
        """Begin to write them; the pages, which are large, when a driver has ended."""
        process = self._ready if closing else None
        if process is not None:
            self._ready = None
        if process is None or process.poll() is not None:  # the system may have ended one that had nothing to do
            process = self._start()
        return DrawingProcess(process, folder, closing)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", _PROGRAM, str(self._dir.path)]
        with signals_blocked():
            return subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


class DrawingProcess:
    """The process that makes them, told where to; see ``Making``. It ends when this process does."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, closing: bool) -> None:
        self._process = process
        assert process.stdin is not None
        order = json.dumps({"folder": str(folder), "closing": closing})
        with contextlib.suppress(BrokenPipeError):  # it has died meanwhile, which its status says
            process.stdin.write(order.encode() + b"\n")
        self._importance_file = folder / IMPORTANCE
        self.importance: Mapping[str, float] = {}

    def done(self) -> bool:
        status = self._process.poll()
        if status:
            raise OSError(f"the process that makes them ended with status {status}, its output is in driver.log")
        if status is not None and self._importance_file.exists():
            self.importance = json.loads(self._importance_file.read_text(encoding="utf-8"))
            self._importance_file.unlink()  # it says nothing that the plots do not
        return status is not None

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.kill()
        self._process.stdin.close()
        self._process.wait()
