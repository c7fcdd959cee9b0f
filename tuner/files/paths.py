"""The files a sweep leaves, all named here and nowhere else.

ROOT/mlflow.db                        MLflow tracking store
ROOT/mlruns/                          MLflow artefacts
ROOT/mlruns/sweeps/NAME/              SweepDir
ROOT/mlruns/sweeps/NAME/trials/0007/  TrialDir, the model_dir of trial 7
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import InvalidInput, StoreError

_TRIALS = "trials"
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
                if not path.name.startswith(".") and sweep_dir.is_made:
                    yield sweep_dir


@dataclass(frozen=True)
class SweepDir:
    """The folder of one sweep."""

    path: Path

    @property
    def is_made(self) -> bool:
        """Whether there is a sweep in it, as far as one may look: in a hidden one there is."""
        try:
            return self.spec_file.is_file()
        except PermissionError:
            return True

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
    def private_file(self) -> Path:
        """What of the sweep's command, constants and URLs is secret, as JSON that its owner alone can read."""
        return self.path / "private.json"

    @property
    def journal_file(self) -> Path:
        """Optuna's journal: the study."""
        return self.path / "study.journal"

    @property
    def study_index_file(self) -> Path:
        """What the journal came to, so that a long one is not replayed each time; made anew if it is gone."""
        return self.path / "study.index"

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
        """The locks of the drivers that share the sweep, if its study is on a database."""
        return self.path / "drivers"

    def driver(self, name: str) -> Path:
        """The lock of one of the drivers that share the sweep."""
        return self.drivers_dir / f"{name}.lock"

    @property
    def study_lock_file(self) -> Path:
        """Held by the driver that counts, asks or takes up, if several share a study on a server."""
        return self.path / "study.lock"

    @property
    def export_lock_file(self) -> Path:
        """Held by the driver that exports the best model, if several drivers end the sweep."""
        return self.path / "export.lock"

    @property
    def stop_file(self) -> Path:
        """Written by ``tuner stop``, seen by the drivers that are at work."""
        return self.path / "stop.request"

    def stop_trial_file(self, number: int) -> Path:
        """Written by ``tuner stop NAME:N``, removed by the driver that runs the trial."""
        return self.path / "stop" / f"{number:04d}"

    @property
    def functions_file(self) -> Path:
        """The functions of a model that was given in Python, pickled; beside it the module that has them."""
        return self.path / "functions.pickle"

    @property
    def driver_log_file(self) -> Path:
        """What the fork server and the recorder say, for `--debug` and post-mortems."""
        return self.path / "driver.log"

    @property
    def simulated_file(self) -> Path:
        """What is left of simulated trials: which course each has, and where its attempts began and ended."""
        return self.path / "simulated.jsonl"

    @property
    def mailbox_file(self) -> Path:
        """What the sweep is called in the storage through which trials' files travel."""
        return self.path / "mailbox.txt"

    @property
    def outside_dir(self) -> Path:
        """Which trial trained in which folder outside of the sweep's, a JSON file for each folder."""
        return self.path / "outside"

    @property
    def mailbox_secret_file(self) -> Path:
        """With what manifests in that storage are signed; its owner alone can read it."""
        return self.path / "mailbox.secret"

    @property
    def trials_dir(self) -> Path:
        return self.path / _TRIALS

    def trial(self, number: int) -> TrialDir:
        return TrialDir(self.trials_dir / f"{number:04d}")

    def trial_path(self, number: int) -> str:
        """Return the folder of a trial as text, for tables of very many."""
        return f"{self.path}/{_TRIALS}/{number:04d}"


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
    def private_file(self) -> Path:
        """What of the trial's job is secret, as JSON that its owner alone can read; it stays on this machine."""
        return private_file(self.job_file)

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
        """Return the folder of the trial's own evaluations; empty if its process did not say."""
        try:
            return self.own_evaluations_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def unwritten_metrics_file(self) -> Path:
        """What was evaluated and is no scalar in the event files: tag to type and shape, as JSON."""
        return self.path / "unwritten_metrics.json"

    def unwritten_metrics(self) -> dict[str, str]:
        """Return what that file holds; nothing if it cannot be read."""
        try:
            found = json.loads(self.unwritten_metrics_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(tag): str(kind) for tag, kind in found.items()} if isinstance(found, dict) else {}

    @property
    def foreign_events_file(self) -> Path:
        """Which event files here are not the trial's own (see ``tuner.events.foreign``), as a list in JSON."""
        return self.path / "foreign_events.json"

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
        return TrialDir(self.path / "tasks" / relative_name(name))

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that have such a folder, as ``worker-0``; none if the trial is one process."""
        return sorted(folder.name for folder in (self.path / "tasks").glob("*") if folder.is_dir())


def relative_name(name: str) -> str:
    """Return the name of a file, from a file, a store or a message, if it stays in the folder it is joined to.

    Raises:
        StoreError: It is absolute, goes up, or is none.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in name:
        raise StoreError(
            f"found {name[:100]!r} as the name of a file, expected one below the folder that it is of",
            "nobody's files were touched; whoever wrote that name is not to be trusted",
        )
    return name


def inside(folder: Path, name: str) -> Path:
    """Return the file below ``folder`` that a name from a file, a store or a message stands for.

    Raises:
        StoreError: It would be somewhere else: see ``relative_name``, or a link leads out of the folder.
    """
    file = folder / relative_name(name)
    target = file.resolve()
    if not target.is_relative_to(folder.resolve()):
        raise StoreError(f"{file} leads to {target}, expected a file in {folder}", "remove the link")
    return file


def private_file(job_file: Path) -> Path:
    """Return the file beside a job that has what of it is secret."""
    return job_file.with_name("private.json")
