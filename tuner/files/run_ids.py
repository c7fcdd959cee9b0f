"""Which MLflow run holds the sweep and which each trial: an append-only file beside the records.

Before a run is made, that it is about to be is written down: a run needs to be looked for only if
that stands and its id does not, because a process died between the two. If a line of the file is damaged,
all runs are looked for, by their tags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.files.appending import end_torn_line
from tuner.files.atomic import append_lines, write_whole
from tuner.files.paths import SweepDir

_PARENT = -1
_MAKING = ""  # instead of an id


@dataclass
class _Found:
    """What the file says: trial or ``_PARENT`` to run, trials that were deleted, whether a line is damaged."""

    runs: dict[int, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    damaged: bool = False
    experiment: str = ""  # of the runs
    _trials: dict[str, int] = field(default_factory=dict)  # run to trial

    def add(self, trial: int, run_id: str) -> None:
        """Take whose a run is; another that has it, too, has it by a damage."""
        self._trials.pop(self.runs.get(trial, _MAKING), None)
        if run_id != _MAKING:
            other = self._trials.get(run_id)
            if other is not None:
                del self.runs[other]
                self.damaged = True
            self._trials[run_id] = trial
        self.runs[trial] = run_id

    def clear(self) -> None:
        """Forget all runs."""
        self.runs.clear()
        self._trials.clear()


class RunIds:
    """Remember run ids, on disk at once.

    Args:
        file: JSON lines of ``{"trial": n, "run_id": ...}``; the sweep's own run has no trial, and its experiment.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._size = 0
        self._found = _Found()
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
        return self._found.runs.get(_PARENT) or None

    @property
    def experiment(self) -> str:
        """MLflow's experiment of the sweep; empty if that is not known, as an older version wrote the file."""
        return self._found.experiment

    @property
    def trials(self) -> dict[int, str]:
        """The run of each trial that has one."""
        return {trial: run for trial, run in self._found.runs.items() if trial != _PARENT and run != _MAKING}

    @property
    def deleted(self) -> set[int]:
        """Trials that were deleted: they get no runs any more."""
        return self._found.deleted

    @property
    def damaged(self) -> bool:
        """Whether a line cannot be read, so that runs may be there which the file does not know."""
        return self._found.damaged

    def trial(self, number: int) -> str | None:
        """Return the run of a trial, or None."""
        return self._found.runs.get(number) or None

    def being_made(self, number: int) -> bool:
        """Whether a run of a trial may be there whose id was not written down."""
        return self._found.runs.get(number) == _MAKING

    def remember(self, run_id: str, trial: int | None = None, experiment: str = "") -> None:
        """Remember the run of a trial, or the sweep's with its experiment."""
        self._found.experiment = experiment or self._found.experiment
        self._found.add(_PARENT if trial is None else trial, run_id)
        self._append(self._parent_line(run_id) if trial is None else {"trial": trial, "run_id": run_id})

    def make(self, trial: int) -> None:
        """Say that the run of a trial is about to be made."""
        self._append({"trial": trial, "run_id": _MAKING})
        self._found.add(trial, _MAKING)

    def delete(self, trial: int) -> None:
        """Say that a trial was deleted."""
        self._append({"trial": trial, "run_id": _MAKING, "deleted": True})
        self._found.deleted.add(trial)

    def rewrite(self, runs: bool = True) -> None:
        """Write the file anew without what is damaged; without ``runs`` only which trials were deleted."""
        if not runs:
            self._found.clear()
        self._found.damaged = False
        lines: list[dict[str, Any]] = [
            self._parent_line(run) if trial == _PARENT else {"trial": trial, "run_id": run}
            for trial, run in self._found.runs.items()
        ]
        lines += [{"trial": trial, "run_id": _MAKING, "deleted": True} for trial in sorted(self._found.deleted)]
        write_whole(self._file, "".join(f"{json.dumps(line)}\n" for line in lines))
        self._size = self._file.stat().st_size

    def _parent_line(self, run_id: str) -> dict[str, Any]:
        return {"run_id": run_id, **({"experiment": self._found.experiment} if self._found.experiment else {})}

    def _append(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        with self._file.open("ab", buffering=0) as stream:
            append_lines(stream, data)
        self._size += len(data)


def run_ids(sweep_dir: SweepDir) -> dict[int, str]:
    """Return the run of each trial that has one."""
    return RunIds(sweep_dir.runs_file).trials


def parent_run_id(sweep_dir: SweepDir) -> str | None:
    """Return the sweep's run, or None."""
    return RunIds(sweep_dir.runs_file).parent


def _read(file: Path) -> _Found:
    found = _Found()
    if not file.exists():
        return found
    end_torn_line(file)
    for data in _lines(file.read_bytes()):
        try:
            trial, run_id = data.get("trial", _PARENT), data["run_id"]
            if not isinstance(trial, int) or not isinstance(run_id, str):
                raise TypeError(data)
        except (KeyError, TypeError, AttributeError):
            found.damaged = True  # or a writer was killed in this line: the run is found again by its tags
            continue
        if data.get("deleted"):
            found.deleted.add(trial)
        elif run_id or not found.runs.get(trial):
            found.add(trial, run_id)
        found.experiment = str(data.get("experiment", found.experiment))
    return found


def _lines(data: bytes) -> list[Any]:
    """Return what each line holds, None if it cannot be read; all at once, if all can."""
    lines = [line for line in data.split(b"\n") if line]
    try:
        whole: list[Any] = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        whole = []
    # Two halves of a line that was broken in two would be one value, and two lines that became one two.
    return whole if len(whole) == len(lines) else [_line(line) for line in lines]


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
