"""What a sweep's runs have beside its records: files, data sets, metrics of the machine."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tuner.domain.tags import FILES
from tuner.files.paths import SweepDir
from tuner.files.run_ids import RunIds
from tuner.recorders.mlflow.artifacts import Making, SweepFiles, TrialArtifacts, UploadSchedule, make_stage
from tuner.recorders.mlflow.batch import Batch, Sending
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.recorders.mlflow.system_metrics import SystemMetrics
from tuner.records.record import Evaluated, Record, SweepClosed, SweepOpened, TrialChanged

_log = logging.getLogger(__name__)

TRIES = 3  # of storing files while the store takes records

_A_TIME = 20  # trials whose files are stored before records are looked at again


class Uploads:
    """Send what is due; see ``Recorder.attach``.

    Args:
        sweep_dir: The sweep's folder.
        sweep_files: Makes the files of the sweep's run, or None for none.
        clock: Seconds that never go back.

    Attributes:
        importance: What the sweep's files said of its parameters last: each one's share for the first objective.
    """

    def __init__(
        self, sweep_dir: SweepDir, sweep_files: SweepFiles | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dir = sweep_dir
        self.importance: Mapping[str, float] = {}
        self._sweep_files = sweep_files
        self._trials = TrialArtifacts(sweep_dir)
        self._spacing = UploadSchedule(sweep_dir.attached_file)
        self._wanted = True
        self._clock = clock
        self._system: SystemMetrics | None = None
        self._inputs: set[int] = set()
        self._parents_inputs: set[str] = set()
        self._making: tuple[Making, Path, bool] | None = None  # where, and whether for a driver's end
        self._failures = 0
        self._again = 0.0  # when files are tried again that could not be stored

    def on_record(self, record: Record) -> None:
        """Take a record, in the order of the log."""
        if isinstance(record, SweepOpened):
            wanted = bool(record.options.get("system_metrics"))
            self._system = (self._system or SystemMetrics()) if wanted else None
            self._wanted = bool(record.options.get("plots", True))
            self._spacing.opened()
        elif isinstance(record, SweepClosed):
            self._spacing.closed(record.time)
        elif isinstance(record, Evaluated):
            self._trials.evaluated(record.trial, record.evaluation)
        elif isinstance(record, TrialChanged) and record.state.is_finished:
            self._trials.finished(record.trial)
            self._spacing.changed()

    def log_datasets(self, trial: int, client: Any, run_id: str, parent: str | None) -> None:
        """Tell which data a trial reads, once its process has said so."""
        file = self._dir.trial(trial).dataset_file
        if trial in self._inputs or not file.exists():
            return
        found = read_inputs(file)
        if found:
            client.log_inputs(run_id, found)
            new = [entry for entry in found if entry.dataset.digest not in self._parents_inputs]
            if parent is not None and new:
                client.log_inputs(parent, new)
                self._parents_inputs |= {entry.dataset.digest for entry in new}
        self._inputs.add(trial)

    def attach(self, client: Any, sending: Sending, runs: RunIds, summary: SweepSummary, closing: bool) -> str:
        """Send what is due; return what is left, in words."""
        parent = runs.parent
        if parent is None:
            return ""
        if self._system is not None and summary.closed is None:
            batch = Batch()
            for name, value, at, step in self._system.due(summary.began):
                batch.metric(name, value, at, step)
            sending.send(parent, batch)
        if self._failures >= TRIES or (self._clock() < self._again and not closing):
            return ""
        try:
            left = self._attach_trials(client, runs) or self._attach_sweep(client, parent)
        except Exception as error:
            self.close()
            client.get_run(parent)  # raises if the store itself is away
            self._fail(error, sending, parent)
            return "files could not be stored, and are tried again"
        self._failures = 0 if not self._making else self._failures
        return left

    def close(self) -> None:
        """Give up what is being made."""
        if self._making is not None:
            making, folder, _ = self._making
            self._making = None
            making.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def _fail(self, error: Exception, sending: Sending, parent: str) -> None:
        """Put off what could not be stored while the store takes records; say so when it is given up."""
        self._failures += 1
        self._spacing.put_off()
        self._again = self._clock() + 10.0**self._failures
        _log.warning("files could not be stored: %s: %s", type(error).__name__, error)
        if self._failures >= TRIES:
            sending.send(parent, Batch({FILES: f"could not be stored: {error}"[:500]}))

    def _attach_trials(self, client: Any, runs: RunIds) -> str:
        """Store the files of some trials; return what is left."""
        due = self._trials.due
        for trial in due[:_A_TIME]:
            run_id = runs.trial(trial)
            if run_id is not None:
                folder = make_stage(self._dir)
                try:
                    self._trials.collect(trial, folder)
                    client.log_artifacts(run_id, str(folder))
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
            self._trials.attached(trial)
        left = len(due) - _A_TIME
        return f"the logs and tables of {left} trials are being stored" if left > 0 else ""

    def _attach_sweep(self, client: Any, parent: str) -> str:
        """Have the files of the sweep's run made beside everything else, and store those that are there."""
        if self._sweep_files is None or not self._wanted:
            return ""
        if self._making is not None and self._spacing.closing and not self._making[2]:
            self.close()  # those of the end take their place
        if self._making is None:
            if not self._spacing.due:
                return ""
            self._spacing.begun()
            folder, closing = make_stage(self._dir), self._spacing.closing
            self._making = self._sweep_files(folder, closing), folder, closing
        making, folder, closing = self._making
        if not making.done():
            return "its plots are being drawn"
        self.importance = making.importance
        client.log_artifacts(parent, str(folder))
        self._spacing.stored(closing)
        self.close()
        return ""


_DIGEST = 36  # characters that MLflow keeps

_CONTEXT = "mlflow.data.context"


def read_inputs(file: Path) -> list[Any]:
    """Return MLflow's DatasetInputs for a trial's data; none if it said nothing, or nothing whole."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        return [
            DatasetInput(
                Dataset(
                    name=data["name"],
                    digest=data["digest"][:_DIGEST],
                    source_type=data["source_type"],
                    source=json.dumps(data["source"]),
                    schema=json.dumps(data["schema"]) if data.get("schema") else None,
                    profile=json.dumps(data["profile"]) if data.get("profile") else None,
                ),
                [InputTag(_CONTEXT, data["context"])],
            )
            for data in described
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
