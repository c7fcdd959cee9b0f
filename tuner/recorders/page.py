"""The sweep's own run: its best so far, its description, how it ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from tuner.recorders.batch import Batch, text
from tuner.recorders.names import valid_name
from tuner.recorders.note import describe_sweep
from tuner.recorders.standing import Improvement, Standing

EVERY_S = 2.0  # between two of its states while the sweep runs, at least


class SweepPage:
    """Say what of the sweep's run has changed.

    Args:
        standing: The sweep.
        clock: Seconds that never go back.
    """

    def __init__(self, standing: Standing, clock: Callable[[], float] = time.monotonic) -> None:
        self._standing = standing
        self._clock = clock
        self._improvements = 0  # that have arrived
        self._note = ""
        self._sent: tuple[int, str, bool] | None = None  # improvements, note, closed
        self._next = 0.0

    def due(self, closing: bool) -> Batch | None:
        """Return what has changed, or None where nothing has or it is too soon.

        ``best_objective`` has as its step the number of settled trials, so that its chart is the
        history of the sweep.
        """
        opened, closed = self._standing.opened, self._standing.closed
        if opened is None or not (closing or closed or self._clock() >= self._next):
            return None
        note = describe_sweep(self._standing)
        state = (len(self._standing.improvements), note, closed is not None)
        if state == self._sent:
            return None
        self._pending = state
        batch = Batch({"mlflow.note.content": note})
        for improvement in self._standing.improvements[self._improvements :]:
            self._add(batch, improvement)
        if self._standing.best is not None:
            trial = self._standing.best[0]
            batch.tags["tuner.best_trial"] = str(trial)
            for improvement in self._standing.improvements:  # what the best has not, a former best may have had
                names = self._standing.params.get(improvement.trial, {})
                batch.tags |= {f"tuner.best.{valid_name(name)}": "" for name in names}
            for name, param in self._standing.params.get(trial, {}).items():
                batch.tags[f"tuner.best.{valid_name(name)}"] = text(param)
        if closed is not None:
            batch.tags["tuner.end"] = closed.reason
            batch.tags["tuner.state"] = "FINISHED" if closed.finished else "INTERRUPTED"
            batch.status = "FINISHED" if closed.finished else "SCHEDULED"
            batch.status_time = closed.time
        return batch

    def arrived(self) -> None:
        """Know that what was due has arrived."""
        self._sent = self._pending
        self._improvements = self._pending[0]
        self._next = self._clock() + EVERY_S

    def _add(self, batch: Batch, improvement: Improvement) -> None:
        several = len(improvement.values) > 1
        for metric, value in improvement.values.items():
            name = valid_name(f"best_objective/{metric}") if several else "best_objective"
            if math.isfinite(value):
                batch.metric(name, value, improvement.time, improvement.settled)
