"""A sweep seen from outside, by its record log: whichever drivers run it, on whichever machines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from tuner.config.manifest import read_manifest
from tuner.domain.job import beginning
from tuner.domain.repeats import groups_of
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import FORKED_AT
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.lifecycle import start_line, state_line
from tuner.driver.progress import Progress, TrialProgress
from tuner.driver.time_left import Trained, time_left
from tuner.files.paths import SweepDir
from tuner.records.log import read_records
from tuner.records.record import Evaluated, Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.schedulers import SCHEDULERS, Scheduler, make_scheduler


class WatchedSweep:
    """Follow a sweep's record log.

    Args:
        sweep_dir: The sweep's folder.
        spec: What it runs.
        now: Seconds since 1970.

    Attributes:
        closed: The record with which its last driver left, or None while one is at work.
    """

    def __init__(self, sweep_dir: SweepDir, spec: SweepSpec, now: Callable[[], float] = time.time) -> None:
        self._dir = sweep_dir
        self._spec = spec
        self._now = now
        self._offset = 0
        self._trials: dict[int, TrialRecord] = {}
        self._latest: dict[int, TrialProgress] = {}  # of those that run
        self._begun_at = self._seen_at = 0.0
        self._spent_s = 0.0  # by drivers that have left
        self._steps: dict[int, int] = {}  # at which each trial was seen to end or pause
        self._workers = 1
        self._best: tuple[int, float] | None = None
        self._shows_best = True  # whether that is up to date
        self.closed: SweepClosed | None = None

    def new_lines(self) -> Iterator[str]:
        """Take what was recorded since last time; yield a line for each trial that began or entered a state."""
        for record, offset in read_records(self._dir.records_file, self._offset):
            self._offset = offset
            if line := self._on_record(record):
                yield line

    def progress(self) -> Progress:
        """Return where the sweep stands."""
        if not self._shows_best:
            best = groups_of(self._trials.values(), self._spec).best
            self._best = (best.typical, best.mean) if best is not None and best.mean is not None else None
            self._shows_best = True
        shown = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.PAUSED)
        counts = Counter(trial.state for trial in self._trials.values() if trial.state in shown)
        total, elapsed = self._spec.search.trials, self._spent_s
        if self.closed is None and self._begun_at:
            elapsed += self._now() - self._begun_at
        left = self._time_left(elapsed) if self.closed is None else None
        running = tuple(self._latest[number] for number in sorted(self._latest))
        return Progress(running, total, counts, self._best, elapsed, left)

    def _time_left(self, elapsed_s: float) -> float | None:
        """Return how long the sweep will still take, as its driver estimates it but for where trials pause."""
        search, most = self._spec.search, self._spec.train.max_steps
        ours = make_scheduler(self._spec) if search.scheduler.name in SCHEDULERS else Scheduler()
        shown = self._latest
        running = [(trial.step, most - trial.step if most else None) for trial in shown.values()]
        settled = [steps for number, steps in self._steps.items() if number not in shown]
        to_begin = max(0, search.trials - len(self._trials))
        trained = Trained(settled, running, to_begin, ours.planned_steps(search.trials))
        return time_left(search, trained, elapsed_s, self._workers)

    def _on_record(self, record: Record) -> str:
        if isinstance(record, Evaluated):
            self._evaluation(record)
        elif isinstance(record, SweepOpened):
            self._open(record)
        elif isinstance(record, SweepClosed):
            self._leave(record.time)
            self.closed = record
        elif isinstance(record, TrialOpened):
            self._seen_at = record.time
            known = self._trials.get(record.trial) or TrialRecord(record.trial, TrialState.INTERRUPTED, {})
            self._trials[record.trial] = replace(known, params=record.params, tags={**known.tags, **record.tags})
        elif isinstance(record, TrialChanged):
            self._seen_at = record.time
            return self._state(record)
        return ""

    def _open(self, record: SweepOpened) -> None:
        """Take that a driver begins: beside others, or after one that died and left no word."""
        frozen = read_manifest(self._dir)
        self._spec = frozen.spec
        if self._begun_at and not frozen.storage_url:
            self._leave(self._seen_at)
            self._latest.clear()
        self._begun_at = self._begun_at or record.time
        self._workers = int(record.settings.get("workers", 1))
        self.closed = None

    def _leave(self, at: float) -> None:
        self._spent_s += max(0.0, at - self._begun_at) if self._begun_at else 0.0
        self._begun_at = 0.0

    def _evaluation(self, record: Evaluated) -> None:
        found, latest = record.evaluation, self._latest.get(record.trial)
        value = found.scalars.get(self._spec.objectives[0].metric)
        if latest is not None and found.folder and not found.is_secondary and found.step >= latest.step:
            value = value if value is not None else latest.value
            self._latest[record.trial] = replace(latest, step=found.step, value=value)

    def _state(self, changed: TrialChanged) -> str:
        known = self._trials.get(changed.trial) or TrialRecord(changed.trial, changed.state, {})
        self._trials[changed.trial] = replace(
            known,
            state=changed.state,
            reason=changed.reason,
            values=changed.values,
            tags={**known.tags, **changed.tags},
            attempts=known.attempts + (changed.state is TrialState.RUNNING),
        )
        self._shows_best = False
        if changed.state is TrialState.RUNNING:
            begun = TrialProgress(changed.trial, changed.step or 0, self._spec.train.max_steps, None)
            self._latest[changed.trial] = begun
            begins = beginning(known.attempts + 1, changed.step)
            return start_line(changed.trial, begins, "", known.params, self._spec.space.constants, changed.reason)
        self._latest.pop(changed.trial, None)
        began_at = int(self._trials[changed.trial].tags.get(FORKED_AT, 0))
        self._steps[changed.trial] = max(0, (changed.step or 0) - began_at)
        return state_line(changed)
