"""The gate: which task of a cluster may take a step, so that every evaluation is of a step on the grid.

Between a chief and its workers nobody counts: each takes steps as fast as it can, and a checkpoint is of
whatever global step there was when the chief looked. A trial in one process evaluates at multiples of
``evaluate_every``, and schedulers judge trials at the same steps. So tasks ask before each step. Up to
the next multiple all but one of the steps go to whoever asks; that one is the chief's, when all others
have been taken. It saves the checkpoint in the same step, waits until that has been evaluated, and opens
the next segment.

Nothing here needs TensorFlow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

_SETTLE_S = 1.0  # how long what a lost worker had begun may take to arrive at the ps


class StepGate:
    """Hand out the steps of a trial; one chief, any number of workers, each in a thread of its own.

    Args:
        every: Global steps between checkpoints.
        last: Global step at which training ends, or None.
        settle_s: How long the chief waits for steps that are under way when it begins again, and after a worker
            was lost within one.
    """

    def __init__(self, every: int, last: int | None = None, settle_s: float = _SETTLE_S) -> None:
        self._every = every
        self._last = last
        self._settle_s = settle_s
        self._changed = threading.Condition()
        self._saved = 0  # step of the newest checkpoint
        self._from = self._to = 0  # the segment
        self._given = 0
        self._under_way: set[Hashable] = set()  # workers that take a step
        self._quiet_from = 0.0
        self._open = False
        self._closed = False

    def begin(self, global_step: Callable[[], int]) -> None:
        """Open the segment in which training stands when the chief's session was made, for the first time or again.

        Args:
            global_step: Reads it; called when no step is under way, because workers may have gone on from the
                checkpoint that was restored.
        """
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._under_way, self._settle_s)
            self._enter(global_step())
            self._given = len(self._under_way)
            self._open = True

    def saved(self, step: int) -> None:
        """Take note of a checkpoint: the next one is due ``every`` steps later."""
        with self._changed:
            self._saved = step

    def wait_open(self) -> bool:
        """Wait until the chief has begun; False when training is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._open)
            return not self._closed

    def worker_may_step(self, who: Hashable) -> bool:
        """Wait until a worker may take a step; False when training is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._open and self._given < self._free))
            if self._closed:
                return False
            self._given += 1
            self._under_way.add(who)
            return True

    def worker_stepped(self, who: Hashable) -> None:
        """Take note that a worker has taken its step."""
        with self._changed:
            self._under_way.discard(who)
            self._changed.notify_all()

    def worker_lost(self, who: Hashable) -> None:
        """Take note that a worker is gone, perhaps within a step."""
        with self._changed:
            if who in self._under_way:
                self._under_way.discard(who)
                self._quiet_from = time.monotonic() + self._settle_s
            self._changed.notify_all()

    def chief_may_step(self, global_step: Callable[[], int]) -> None:
        """Wait until the chief may take a step.

        Args:
            global_step: Reads it; called before the last step of a segment, because steps that were
                given out may never have been taken.
        """
        with self._changed:
            while not self._closed:
                if self._given < self._free:
                    break
                quiet_in = self._quiet_from - time.monotonic()
                if self._under_way or quiet_in > 0:
                    self._changed.wait(quiet_in if quiet_in > 0 else None)
                    continue
                step = global_step()
                if step == self._to - 1:
                    break
                self._enter(step)
            self._given += 1

    def chief_stepped(self) -> None:
        """Take note that the chief has taken its step; after the last of a segment the next one begins."""
        with self._changed:
            if self._given > self._free:
                self._enter(self._to)

    def close(self) -> None:
        """Say that training is over."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def _free(self) -> int:
        """How many steps of the segment are for whoever asks."""
        return self._to - self._from - 1

    def _enter(self, step: int) -> None:
        self._from, self._given = step, 0
        self._to = step + self._every - (step - self._saved) % self._every
        if self._last is not None:
            self._to = min(self._to, self._last)
            self._closed = self._closed or step >= self._last
        self._changed.notify_all()
