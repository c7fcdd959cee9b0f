"""The processes of the export, started while the last trials of a sweep run, so that its end waits for no import."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from tuner.domain.tags import SERVABLE
from tuner.domain.trial import TrialRecord
from tuner.driver.reactions import Reaction
from tuner.driver.running_trial import RunningTrial
from tuner.export import ExportProcesses, Fork
from tuner.files.paths import SweepDir

STAGE = ".export-"


class ExportStandby(Reaction, AbstractContextManager["ExportStandby"]):
    """Start the processes when the last trials begin: they import while these train.

    That is a round of trials before the last: a trial that is pruned takes less time than an import.

    Args:
        sweep_dir: The sweep's folder.
        wanted: Whether this driver will export; one of a shared study may find its stage cleared away by another.

        workers: How many trials run at a time.
        prepare: Called once at that time, to have others made ready too.
        fork: Forks the process that exports from the fork server, if there is one; see ``Backend.fork_function``.

    Attributes:
        total: Returns how many trials the sweep has.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        wanted: bool = True,
        workers: int = 1,
        fork: Fork | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._dir = sweep_dir
        self._workers = workers
        self._fork = fork
        self._prepare: Callable[[], None] | None = prepare
        self._wanted = wanted
        self.total: Callable[[], float] = lambda: math.inf
        self._begun: set[int] = set()
        self._running: set[int] = set()
        self._servable = False
        self.processes: ExportProcesses | None = None

    def on_begin(self, trial: RunningTrial) -> None:
        self._begun.add(trial.number)
        self._running.add(trial.number)
        self._consider()

    def on_suspended(self, record: TrialRecord) -> None:
        self._begun.add(record.number)
        self._running.discard(record.number)

    def on_finished(self, record: TrialRecord) -> None:
        self.on_finished_elsewhere(record)
        self._consider()

    def on_finished_elsewhere(self, record: TrialRecord) -> None:
        self.on_suspended(record)
        self._servable = self._servable or record.tags.get(SERVABLE) == "true"

    def _consider(self) -> None:
        last = self._running and len(self._begun) >= self.total() - 1 - self._workers
        if last and self._prepare is not None:
            self._prepare()
            self._prepare = None
        if last and self._wanted and self._servable and self.processes is None:
            with suppress(OSError):  # no room for a process or a folder: they are started at the end
                self.processes = ExportProcesses(make_stage(self._dir), fork=self._fork)

    def __exit__(self, *_: object) -> None:
        """End the processes if they were not needed."""
        if self.processes is not None:
            self.processes.close()
            shutil.rmtree(self.processes.stage, ignore_errors=True)


def make_stage(sweep_dir: SweepDir) -> Path:
    """Return an empty folder in which an export is made."""
    return Path(tempfile.mkdtemp(prefix=STAGE, dir=sweep_dir.path))
