"""What a sweep's runs have beside its records: files, data sets, metrics of the machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from tuner.paths import SweepDir
from tuner.recorders.attachments import Spacing, SweepFiles, TrialFiles, scratch
from tuner.recorders.batch import Batch, Sending
from tuner.recorders.inputs import read_inputs
from tuner.recorders.runs import RunIds
from tuner.recorders.standing import Standing
from tuner.recorders.system import SystemMetrics
from tuner.records import Evaluated, Record, SweepClosed, SweepOpened, TrialChanged

_log = logging.getLogger(__name__)

TRIES = 3  # of storing files while the store takes records
_A_TIME = 20  # trials whose files are stored before records are looked at again


class Extras:
    """Send what is due; see ``Recorder.attach``.

    Args:
        sweep_dir: The sweep's folder.
        sweep_files: Makes the files of the sweep's run, or None for none.
        clock: Seconds that never go back.
    """

    def __init__(
        self, sweep_dir: SweepDir, sweep_files: SweepFiles | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dir = sweep_dir
        self._sweep_files = sweep_files
        self._trials = TrialFiles(sweep_dir)
        self._spacing = Spacing(sweep_dir.attached_file)
        self._wanted = True
        self._clock = clock
        self._system: SystemMetrics | None = None
        self._inputs: set[int] = set()
        self._parents_inputs: set[str] = set()
        self._failures = 0
        self._again = 0.0  # when files are tried again that could not be stored

    def take(self, record: Record) -> None:
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
        elif isinstance(record, TrialChanged) and record.state.settled:
            self._trials.settled(record.trial)
            self._spacing.changed()

    def say_inputs(self, trial: int, client: Any, run_id: str, parent: str | None) -> None:
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

    def attach(self, client: Any, sending: Sending, runs: RunIds, standing: Standing, closing: bool) -> bool:
        """Send what is due; return whether nothing is left."""
        parent = runs.parent
        if parent is None:
            return True
        if self._system is not None and standing.closed is None:
            batch = Batch()
            for name, value, at, step in self._system.due(standing.began):
                batch.metric(name, value, at, step)
            sending.send(parent, batch)
        if self._failures >= TRIES or (self._clock() < self._again and not closing):
            return True
        try:
            left = self._attach_trials(client, runs)
            if not left and self._wanted and self._sweep_files is not None and self._spacing.due:
                self._attach_sweep(client, parent)
        except Exception as error:
            client.get_run(parent)  # raises where the store itself is away
            self._fail(error, sending, parent)
            return False
        self._failures = 0
        return not left

    def _fail(self, error: Exception, sending: Sending, parent: str) -> None:
        """Put off what could not be stored while the store takes records; say so when it is given up."""
        self._failures += 1
        self._again = self._clock() + 10.0**self._failures
        _log.warning("files could not be stored: %s: %s", type(error).__name__, error)
        if self._failures >= TRIES:
            sending.send(parent, Batch({"tuner.files": f"could not be stored: {error}"[:500]}))

    def _attach_trials(self, client: Any, runs: RunIds) -> bool:
        """Store the files of some trials; return whether there are more."""
        due = self._trials.due
        for trial in due[:_A_TIME]:
            run_id = runs.trial(trial)
            if run_id is not None:
                with scratch() as folder:
                    self._trials.collect(trial, folder)
                    client.log_artifacts(run_id, str(folder))
            self._trials.attached(trial)
        return len(due) > _A_TIME

    def _attach_sweep(self, client: Any, parent: str) -> None:
        assert self._sweep_files is not None
        closing = self._spacing.closing
        with self._spacing.making(), scratch() as folder:
            self._sweep_files(folder, closing)
            client.log_artifacts(parent, str(folder))
