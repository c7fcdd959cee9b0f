"""How long a sweep will still take, by the steps that its trials train.

A trial that waits at its rung is no work by itself: most are never taken up again. How many are, the scheduler knows
beforehand (``Scheduler.planned_steps``), or what trials have come to on average tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuner.domain.spec import SearchSettings

_LATEST = 500  # trials by which the others are judged


@dataclass(frozen=True)
class Trained:
    """Global steps that the trials of a sweep have trained.

    Attributes:
        settled: By each trial that does not run, the latest last: finished or paused.
        running: By each trial that runs or is to be taken up first, and how many it trains until it pauses or ends
            if nothing stops it; None if that is not known.
        to_begin: How many trials have not begun.
        planned: By all trials of the sweep in the end, if the scheduler knows.
    """

    settled: Sequence[int]
    running: Sequence[tuple[int, int | None]]
    to_begin: int
    planned: int | None = None


def time_left(search: SearchSettings, trained: Trained, elapsed_s: float, workers: int) -> float | None:
    """Return an estimate of the seconds until a sweep is done, or None if it cannot be told.

    It cannot before a trial has settled.

    Args:
        search: The limits of the sweep, among them that of its running time.
        trained: What was trained so far.
        elapsed_s: Running time of the sweep, in seconds.
        workers: Trials at a time.
    """
    if not trained.settled or not (trained.to_begin or trained.running):
        return None
    lengths: list[float] = [*trained.settled]
    running: list[tuple[float, float | None]] = [*trained.running]
    planned = trained.planned
    if not any(lengths):  # nothing is known of steps, so trials are counted, those that run as halves
        lengths, running, planned = [1.0] * len(lengths), [(0.5, 0.5)] * len(running), None
    done = sum(lengths) + sum(steps for steps, _ in running)
    recent = lengths[-_LATEST:]
    rests = [_rest(steps, most, recent) for steps, most in running]
    to_train = sum(rests) + trained.to_begin * sum(recent) / len(recent) if planned is None else planned - done
    at_a_time = min(workers, len(lengths) + len(running))
    left_s = max(to_train, at_a_time * max(rests, default=0.0)) * elapsed_s / done
    return min(left_s, max(0.0, (search.timeout_s or math.inf) - elapsed_s))


def _rest(done: float, most: float | None, lengths: Sequence[float]) -> float:
    """Return how many steps a trial will still train: as many as those did that came further, if any has."""
    further = [length - done for length in lengths if length > done]
    expected = sum(further) / len(further) if further else most
    return min((x for x in (expected, most) if x is not None), default=0.0)
