"""Files that belong to runs: a trial's log, job and evaluations; the sweep's space, table and plots.

They are sent beside the records: what cannot be stored now is tried again later, and never keeps
records waiting. Which trials have theirs is remembered on disk.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tuner.domain.job import hiding_of_job
from tuner.domain.trial import Evaluation
from tuner.files.appending import end_torn_line
from tuner.files.atomic import append_lines
from tuner.files.lines import read_lines
from tuner.files.litter import STAGE
from tuner.files.paths import SweepDir, TrialDir
from tuner.text import csv_text

LOG_BYTES = 2 << 20  # of a longer log the end is kept
EVERY_S = 30.0  # between two tellings of the sweep's files while it runs, at least
_SHARE = 20  # and at most this part of the time goes into making them


class Making(Protocol):
    """Files that are being made beside everything else.

    Attributes:
        importance: When they are there: each parameter's share in the variation of the first objective, 0 to 1, as
            far as it can be told.
    """

    importance: Mapping[str, float]

    def done(self) -> bool:
        """Whether they are there.

        Raises:
            OSError: They could not be made.
        """

    def stop(self) -> None:
        """Give them up."""


class SweepFiles(Protocol):
    """Make the files of a sweep's run."""

    def __call__(self, folder: Path, closing: bool) -> Making:
        """Begin to write them into ``folder``, and return at once; ``closing`` when the sweep's driver has ended."""


class TrialArtifacts:
    """The files of trials, due when a trial is finished.

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

    def finished(self, trial: int) -> None:
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


class UploadSchedule:
    """Say when the sweep's files are due: seldom while it runs, and once each time a driver ends.

    Args:
        file: Remembers for which ends they were stored.
        clock: Seconds that never go back.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._next = clock() + EVERY_S
        self._began = clock()
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

    def begun(self) -> None:
        """Know that they are being made now; if that fails they stay due."""
        self._began = self._clock()

    def stored(self, closing: bool) -> None:
        """Know that they are stored, those of a driver's end if it is ``closing``."""
        self.put_off()
        if closing and self._closed is not None:
            _append(self._file, "closed", self._closed)
        self._changed, self._closed = False, None if closing else self._closed

    def put_off(self) -> None:
        """Leave time until they are made again, by what making them has cost."""
        self._next = self._clock() + max(EVERY_S, _SHARE * (self._clock() - self._began))


def make_stage(sweep_dir: SweepDir) -> Path:
    """Make a folder for files until they are stored; one that is left over is found, and removed, by its name."""
    return Path(tempfile.mkdtemp(prefix=STAGE, dir=sweep_dir.path))


def _write_table(rows: Mapping[tuple[int, str], Mapping[str, float]], file: Path) -> None:
    """Write a row for each evaluated step; columns are tags, with their folder if there are several."""
    folders = {folder for _, folder in rows}
    table: dict[int, dict[str, float]] = {}
    for (step, folder), scalars in rows.items():
        for tag, value in scalars.items():
            name = csv_text(tag if len(folders) == 1 else f"{folder}/{tag}")
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
        text = stream.read().decode("utf-8", errors="surrogateescape")
        copy.write(hiding_of_job(trial_dir.job_file)(text).encode("utf-8", errors="surrogateescape"))


def attached_trials(sweep_dir: SweepDir) -> set[int]:
    """Return the trials whose files are stored."""
    return {int(trial) for trial in _read(sweep_dir.attached_file, "trial")}


def stored_ends(sweep_dir: SweepDir) -> set[float]:
    """Return the ends of drivers for which the sweep's files are stored, in seconds since 1970."""
    return _read(sweep_dir.attached_file, "closed")


def _append(file: Path, key: str, value: float) -> None:
    if file.exists():
        end_torn_line(file)
    with file.open("ab", buffering=0) as stream:
        append_lines(stream, json.dumps({key: value}).encode() + b"\n")


def _read(file: Path, key: str) -> set[float]:
    """Return what the lines say; for one that is damaged the files are stored again."""
    values = ((line.mapping() or {}).get(key) for line in read_lines(file))
    return {value for value in values if isinstance(value, (int, float)) and math.isfinite(value)}
