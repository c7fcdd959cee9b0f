"""The files of a sweep's run, made in a process beside the recorder's; see ``tuner.recorders.sweep_files``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tuner.files.paths import SweepDir
from tuner.processes import signals_blocked

IMPORTANCE = ".importance.json"
_PROGRAM = "tuner.recorders.sweep_files"


class SweepFiles:
    """Make the files of a sweep's run in a process of their own: records never wait for pictures.

    What making them takes of memory goes with that process.

    Args:
        sweep_dir: The sweep's folder.
    """

    def __init__(self, sweep_dir: SweepDir) -> None:
        self._dir = sweep_dir

    def __call__(self, folder: Path, closing: bool) -> DrawingProcess:
        """Begin to write them; the pages, which are large, when a driver has ended."""
        return DrawingProcess(self._dir, folder, closing)


class DrawingProcess:
    """The process that makes them; see ``Making``. It ends when this process does."""

    def __init__(self, sweep_dir: SweepDir, folder: Path, closing: bool) -> None:
        command = [sys.executable, "-m", _PROGRAM, str(sweep_dir.path), str(folder), *(["closing"] if closing else [])]
        with signals_blocked():
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

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
