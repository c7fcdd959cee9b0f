"""The files a sweep leaves, all named here and nowhere else.

ROOT/mlflow.db                        MLflow tracking store
ROOT/mlruns/                          MLflow artefacts
ROOT/mlruns/sweeps/NAME/              SweepDir
ROOT/mlruns/sweeps/NAME/trials/0007/  TrialDir, the model_dir of trial 7
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from tuner.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")


def check_name(name: str, source: str = "name") -> str:
    """Return ``name`` if it is safe as the name of a sweep, a folder and an experiment.

    Raises:
        InvalidInput: It has other characters than letters, digits, ``_``, ``.`` and ``-``, does not
            begin with a letter or digit, or is longer than 100 characters.
    """
    if not _NAME.fullmatch(name):
        shown = name if len(name) <= 40 else name[:37] + "..."
        raise InvalidInput(
            source,
            f"{shown!r} cannot name a sweep: expected 1 to 100 letters, digits, '_', '-' or '.', "
            "beginning with a letter or digit",
        )
    return name


@dataclass(frozen=True)
class Root:
    """The folder under which sweeps and records are kept."""

    path: Path

    @property
    def database_file(self) -> Path:
        return self.path / "mlflow.db"

    @property
    def artifacts_dir(self) -> Path:
        return self.path / "mlruns"

    @property
    def sweeps_dir(self) -> Path:
        return self.artifacts_dir / "sweeps"

    def sweep(self, name: str) -> SweepDir:
        """Return the folder of the sweep ``name``, which need not exist.

        Raises:
            InvalidInput: ``name`` is not a name that a sweep can have.
        """
        return SweepDir(self.sweeps_dir / check_name(name))

    def sweeps(self) -> Iterator[SweepDir]:
        """Yield the sweeps under this root by name."""
        if self.sweeps_dir.is_dir():
            for path in sorted(self.sweeps_dir.iterdir()):
                sweep_dir = SweepDir(path)
                if not path.name.startswith(".") and sweep_dir.spec_file.is_file():
                    yield sweep_dir


@dataclass(frozen=True)
class SweepDir:
    """The folder of one sweep."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def root(self) -> Root:
        return Root(self.path.parents[2])

    @property
    def space_file(self) -> Path:
        """The search space as the user wrote it, with ``--set`` applied."""
        return self.path / "space.yaml"

    @property
    def spec_file(self) -> Path:
        """The sweep's identity, settings, versions and command, as JSON."""
        return self.path / "sweep.json"

    @property
    def journal_file(self) -> Path:
        """Optuna's journal: the study."""
        return self.path / "study.journal"

    @property
    def records_file(self) -> Path:
        """Everything that was recorded, in order: the learning curves of all trials among it."""
        return self.path / "curves.jsonl"

    @property
    def earlier_file(self) -> Path:
        """Finished trials of other sweeps from which this one learns, one JSON line each."""
        return self.path / "earlier.jsonl"

    @property
    def sent_file(self) -> Path:
        """How many bytes of the records file have arrived at the tracking store."""
        return self.path / "curves.sent"

    @property
    def runs_file(self) -> Path:
        """Which MLflow run holds the sweep and which each trial, one JSON line each."""
        return self.path / "runs.jsonl"

    def best_model(self, trial: int, step: int) -> Path:
        """The best trial as an MLflow model, until it has arrived at the tracking store."""
        return self.path / "best_model" / f"{trial:04d}-{step}"

    @property
    def best_model_file(self) -> Path:
        """Which trial at which step was exported last, as JSON."""
        return self.path / "best_model.json"

    @property
    def attached_file(self) -> Path:
        """Which trials have their log and tables at the tracking store, one JSON line each."""
        return self.path / "attached.jsonl"

    @property
    def driver_file(self) -> Path:
        """The lock of the driver that works on the sweep, with its pid and host."""
        return self.path / "driver.lock"

    @property
    def drivers_dir(self) -> Path:
        """The locks of the drivers that share the sweep, where its study is on a database."""
        return self.path / "drivers"

    def driver(self, name: str) -> Path:
        """The lock of one of the drivers that share the sweep."""
        return self.drivers_dir / f"{name}.lock"

    @property
    def export_lock_file(self) -> Path:
        """Held by the driver that exports the best model, where several drivers end the sweep."""
        return self.path / "export.lock"

    @property
    def stop_file(self) -> Path:
        """Written by ``tuner stop``, seen by the drivers that are at work."""
        return self.path / "stop.request"

    @property
    def driver_log_file(self) -> Path:
        """What the fork server and the recorder say, for `--debug` and post-mortems."""
        return self.path / "driver.log"

    @property
    def simulated_file(self) -> Path:
        """What is left of simulated trials: which course each has, and where its lives began and ended."""
        return self.path / "simulated.jsonl"

    @property
    def mailbox_file(self) -> Path:
        """What the sweep is called in the storage through which trials' files travel."""
        return self.path / "mailbox.txt"

    @property
    def trials_dir(self) -> Path:
        return self.path / "trials"

    def trial(self, number: int) -> TrialDir:
        return TrialDir(self.trials_dir / f"{number:04d}")


@dataclass(frozen=True)
class TrialDir:
    """The folder of one trial: its model_dir, and beside TensorFlow's files our own."""

    path: Path

    @property
    def number(self) -> int:
        return int(self.path.name)

    @property
    def job_file(self) -> Path:
        return self.path / "job.json"

    @property
    def log_file(self) -> Path:
        return self.path / "log.txt"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def dataset_file(self) -> Path:
        """What the trial's process said of the data that it reads, as JSON."""
        return self.path / "dataset.json"

    @property
    def own_evaluations_file(self) -> Path:
        """The folder of the trial's own evaluations, where hooks of the model may evaluate other rows beside."""
        return self.path / "eval_folder.txt"

    def own_evaluations(self) -> str:
        """Return the folder of the trial's own evaluations; empty where its process did not say."""
        try:
            return self.own_evaluations_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def away_file(self) -> Path:
        """There while the trial's newest files are on another machine or in the storage between."""
        return self.path / "away.txt"

    @property
    def lock_file(self) -> Path:
        """Held by the trial's process as long as any of its processes lives."""
        return self.path / "trial.lock"

    def task(self, name: str) -> TrialDir:
        """The folder of a task of the trial's cluster other than its chief: its job, log and result."""
        return TrialDir(self.path / "tasks" / name)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that have such a folder, as ``worker-0``; none where the trial is one process."""
        return sorted(folder.name for folder in (self.path / "tasks").glob("*") if folder.is_dir())


def write_whole(file: Path, text: str) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a part."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def append_lines(stream: FileIO, data: bytes) -> None:
    """Append lines, each whole or not at all: a disk that is nearly full takes a part of a write and says nothing.

    Args:
        stream: Unbuffered and open to append; nobody else appends meanwhile.
        data: Lines with their ends.

    Raises:
        OSError: The disk does not take all of it. Lines that it took stand, as a reader may have them; the part
            of one is cut off.
    """
    begin = os.fstat(stream.fileno()).st_size
    written = 0
    try:
        while written < len(data):
            written += stream.write(data[written:])
    except OSError:
        os.ftruncate(stream.fileno(), begin + data.rfind(b"\n", 0, written) + 1)
        raise
