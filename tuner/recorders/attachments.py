"""Files that belong to runs: a trial's log, job and evaluations; the sweep's space, table and plots.

They are sent beside the records: what cannot be stored now is tried again later, and never keeps
records waiting. Which trials have theirs is remembered on disk.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tuner.paths import SweepDir, TrialDir, append_lines
from tuner.values import Evaluation

LOG_BYTES = 2 << 20  # of a longer log the end is kept
EVERY_S = 30.0  # between two tellings of the sweep's files while it runs, at least
_SHARE = 20  # and at most this part of the time goes into making them


class SweepFiles(Protocol):
    """Make the files of a sweep's run."""

    def __call__(self, folder: Path, closing: bool) -> None:
        """Write them into ``folder``; ``closing`` when the sweep's driver has ended."""


class TrialFiles:
    """The files of trials, due when a trial is settled.

    Args:
        sweep_dir: The sweep's folder.
    """

    def __init__(self, sweep_dir: SweepDir) -> None:
        self._dir = sweep_dir
        self._attached = _read(sweep_dir.attached_file, "trial")
        self._evaluations: dict[int, dict[tuple[int, str], dict[str, float]]] = {}
        self._due: dict[int, None] = {}

    @property
    def due(self) -> list[int]:
        """Trials whose files have not been stored yet."""
        return list(self._due)

    def evaluated(self, trial: int, evaluation: Evaluation) -> None:
        """Take an evaluation for the trial's table."""
        if trial not in self._attached:
            row = self._evaluations.setdefault(trial, {}).setdefault((evaluation.step, evaluation.folder), {})
            for tag, value in evaluation.scalars.items():
                row.setdefault(tag, value)

    def settled(self, trial: int) -> None:
        """Know that a trial will not run again."""
        if trial not in self._attached:
            self._due[trial] = None

    def collect(self, trial: int, folder: Path) -> None:
        """Put the files of a trial into ``folder``."""
        trial_dir = self._dir.trial(trial)
        for file in (trial_dir.job_file, trial_dir.result_file):
            if file.exists():
                shutil.copyfile(file, folder / file.name)
        if trial_dir.log_file.exists():
            _copy_end(trial_dir, folder / trial_dir.log_file.name)
        rows = self._evaluations.get(trial)
        if rows:
            _write_table(rows, folder / "evaluations.csv")

    def attached(self, trial: int) -> None:
        """Remember that a trial has its files."""
        _append(self._dir.attached_file, "trial", trial)
        self._attached.add(trial)
        self._due.pop(trial, None)
        self._evaluations.pop(trial, None)


class Spacing:
    """Say when the sweep's files are due: seldom while it runs, and once each time a driver ends.

    Args:
        file: Remembers for which ends they were stored.
        clock: Seconds that never go back.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._next = clock() + EVERY_S
        self._changed = False
        self._closed: float | None = None  # when a driver ended for which they are due

    @property
    def due(self) -> bool:
        """Whether the files should be made now."""
        return self.closing or (self._changed and self._clock() >= self._next)

    @property
    def closing(self) -> bool:
        """Whether they are the last ones of a driver."""
        return self._closed is not None

    def changed(self) -> None:
        """Know that there is more to say."""
        self._changed = True

    def opened(self) -> None:
        """Know that a driver is at work."""
        self._closed = None

    def closed(self, at: float) -> None:
        """Know that a driver has ended, in seconds since 1970."""
        self._closed = at if at not in _read(self._file, "closed") else None

    @contextmanager
    def making(self) -> Iterator[None]:
        """Measure what making and storing them costs; where that fails they stay due."""
        began = self._clock()
        try:
            yield
        finally:
            self._next = self._clock() + max(EVERY_S, _SHARE * (self._clock() - began))
        if self._closed is not None:
            _append(self._file, "closed", self._closed)
        self._changed, self._closed = False, None


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="tuner-files-") as folder:
        yield Path(folder)


def _write_table(rows: Mapping[tuple[int, str], Mapping[str, float]], file: Path) -> None:
    """Write a row for each evaluated step; columns are tags, with their folder where there are several."""
    folders = {folder for _, folder in rows}
    table: dict[int, dict[str, float]] = {}
    for (step, folder), scalars in rows.items():
        for tag, value in scalars.items():
            name = tag if len(folders) == 1 else f"{folder}/{tag}"
            table.setdefault(step, {})[name] = value
    columns = sorted({name for row in table.values() for name in row})
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["step", *columns], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"step": step, **table[step]} for step in sorted(table))


def _copy_end(trial_dir: TrialDir, to: Path) -> None:
    with trial_dir.log_file.open("rb") as stream, to.open("wb") as copy:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LOG_BYTES))
        if size > LOG_BYTES:
            copy.write(f"[the first {size - LOG_BYTES} bytes are in {trial_dir.log_file}]\n".encode())
            stream.readline()
        shutil.copyfileobj(stream, copy)


def attached_trials(sweep_dir: SweepDir) -> set[int]:
    """Return the trials whose files are stored."""
    return {int(trial) for trial in _read(sweep_dir.attached_file, "trial")}


def stored_ends(sweep_dir: SweepDir) -> set[float]:
    """Return the ends of drivers for which the sweep's files are stored, in seconds since 1970."""
    return _read(sweep_dir.attached_file, "closed")


def _append(file: Path, key: str, value: float) -> None:
    with file.open("ab", buffering=0) as stream:
        append_lines(stream, json.dumps({key: value}).encode() + b"\n")


def _read(file: Path, key: str) -> set[float]:
    found: set[float] = set()
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line)
                if key in data:
                    found.add(data[key])
            except (ValueError, TypeError):
                continue  # a writer was killed in this line: the files are stored again
    return found
