"""What the loop of a sweep works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tuner.backends import Backend
from tuner.driver.peers import SharedDrivers, SoleDriver
from tuner.driver.progress import Display
from tuner.driver.reactions import Reaction
from tuner.files import checkpoints
from tuner.hiding import Hiding
from tuner.records.record import Record
from tuner.schedulers import Scheduler
from tuner.study import Study


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
class LoopContext:
    """What the loop works with; all of it open.

    Attributes:
        poll_recorder: Called several times a second, looks after the recorder beside the loop; returns a line worth
            saying, or nothing.
        reactions: What else is to be called as trials go on, beside the loop's own.
        peers: The other drivers of the sweep.
        now: Seconds since 1970, for what is recorded; or a simulated clock.
        clock: Seconds that never jump, for how long things take; or the same simulated clock.
        hide: Hides secrets in the reasons and tags of trials.
        fork: Lets a trial begin with another one's checkpoint, as ``tuner.files.checkpoints.fork``.
    """

    study: Study
    backend: Backend
    scheduler: Scheduler
    log: Log
    display: Display
    stopping: Stopping
    poll_recorder: Callable[[], str] = str
    reactions: tuple[Reaction, ...] = ()
    peers: SharedDrivers | SoleDriver = field(default_factory=SoleDriver)
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    hide: Hiding = field(default_factory=Hiding)
    fork: Callable[[Path, int, Path], None] = checkpoints.fork
