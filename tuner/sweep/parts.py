"""What the loop of a sweep works with, and the tags it gives trials."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tuner.backends import Backend
from tuner.records import Record
from tuner.schedulers import Scheduler
from tuner.study import Study, TrialRecord
from tuner.sweep.peers import Peers, Sole
from tuner.sweep.progress import Watcher
from tuner.trial import checkpoints

# Tags of a trial that began with another one's checkpoint.
FORKED_FROM = "tuner.forked_from"
FORKED_AT = "tuner.forked_at"
STOPPED_AT = "tuner.stopped_at"  # tag of a trial that was completed before its end, where it met the target
REPLACES = "tuner.replaces"


def _nothing(_record: TrialRecord) -> None:
    """Do nothing."""


class Stopping(Protocol):
    """Whether somebody wants the sweep to stop."""

    @property
    def asked(self) -> bool:
        """Trials stop at their next checkpoints."""

    @property
    def at_once(self) -> bool:
        """Trials are killed."""


class Log(Protocol):
    """Where records go."""

    def append(self, *records: Record) -> None:
        """Append records."""


@dataclass(frozen=True)
class Parts:
    """What the loop works with; all of it open.

    Attributes:
        look_after: Called several times a second, looks after what runs beside the loop; returns a
            line worth saying, or nothing.
        on_trial_end: Called with each trial that settles; never raises.
        peers: The other drivers of the sweep.
        now: Seconds since 1970, for what is recorded; or a simulated clock.
        clock: Seconds that never jump, for how long things take; or the same simulated clock.
        fork: Lets a trial begin with another one's checkpoint, as ``tuner.trial.checkpoints.fork``.
    """

    study: Study
    backend: Backend
    scheduler: Scheduler
    log: Log
    watcher: Watcher
    stopping: Stopping
    look_after: Callable[[], str] = str
    on_trial_end: Callable[[TrialRecord], None] = _nothing
    peers: Peers | Sole = field(default_factory=Sole)
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    fork: Callable[[Path, int, Path], None] = checkpoints.fork
