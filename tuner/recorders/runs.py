"""Which MLflow run holds the sweep and which each trial: an append-only file beside the records.

Before a run is made, that it is about to be is written down: a run needs to be looked for only where
that stands and its id does not, because a process died between the two.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tuner.paths import SweepDir, append_lines

_PARENT = -1
_MAKING = ""  # instead of an id


class RunIds:
    """Remember run ids, on disk at once.

    Args:
        file: JSON lines of ``{"trial": n, "run_id": ...}``; the sweep's own run has no trial.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._size = 0
        self._found: dict[int, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what others have written since."""
        size = self._file.stat().st_size if self._file.exists() else 0
        if size != self._size:
            self._found = _read(self._file)
            self._size = self._file.stat().st_size

    @property
    def parent(self) -> str | None:
        """The sweep's run."""
        return self._found.get(_PARENT) or None

    @property
    def trials(self) -> dict[int, str]:
        """The run of each trial that has one."""
        return {trial: run for trial, run in self._found.items() if trial != _PARENT and run != _MAKING}

    def trial(self, number: int) -> str | None:
        """Return the run of a trial, or None."""
        return self._found.get(number) or None

    def being_made(self, number: int) -> bool:
        """Whether a run of a trial may be there whose id was not written down."""
        return self._found.get(number) == _MAKING

    def remember(self, run_id: str, trial: int | None = None) -> None:
        """Remember the run of a trial, or the sweep's."""
        self._append({"run_id": run_id} if trial is None else {"trial": trial, "run_id": run_id})
        self._found[_PARENT if trial is None else trial] = run_id

    def make(self, trial: int) -> None:
        """Say that the run of a trial is about to be made."""
        self._append({"trial": trial, "run_id": _MAKING})
        self._found[trial] = _MAKING

    def _append(self, line: dict[str, int | str]) -> None:
        data = json.dumps(line).encode() + b"\n"
        with self._file.open("ab", buffering=0) as stream:
            append_lines(stream, data)
        self._size += len(data)


def run_ids(sweep_dir: SweepDir) -> dict[int, str]:
    """Return the run of each trial that has one."""
    return {trial: run for trial, run in _read(sweep_dir.runs_file).items() if trial != _PARENT and run != _MAKING}


def parent_run_id(sweep_dir: SweepDir) -> str | None:
    """Return the sweep's run, or None."""
    return _read(sweep_dir.runs_file).get(_PARENT)


def _read(file: Path) -> dict[int, str]:
    found: dict[int, str] = {}
    if file.exists():
        _end_torn_line(file)
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line)
                trial, run_id = int(data.get("trial", _PARENT)), str(data["run_id"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a writer was killed in this line: the run is found again by its tags
            if run_id or not found.get(trial):
                found[trial] = run_id
    return found


def _end_torn_line(file: Path) -> None:
    """Close a line that a killed writer left open, so that the next one stands alone."""
    with file.open("rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return
        stream.seek(-1, os.SEEK_END)
        torn = stream.read(1) != b"\n"
    if torn and os.access(file, os.W_OK):
        with file.open("ab", buffering=0) as stream:
            stream.write(b"\n")
