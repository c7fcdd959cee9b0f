"""What training itself writes, thinned: ``loss`` and other scalars of a trial's own folder.

Estimators write them into event files beside the checkpoints. They are read here, by the recorder,
since nothing is decided by them. Of each stretch of steps the first event stands, so that the same
points come out however often and from wherever the files are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tuner.events import Follower
from tuner.files.paths import SweepDir

POINTS = 200  # of a tag in a trial, at most
_WIDTH = 100  # global steps between points if a trial has no end


@dataclass(frozen=True)
class Point:
    """One value of a training summary."""

    tag: str
    value: float
    time: float
    step: int


@dataclass
class _Trial:
    follower: Follower
    taken: set[tuple[str, int]] = field(default_factory=set)
    later: list[Point] = field(default_factory=list)  # beyond the step up to which the trial counts
    due: list[Point] = field(default_factory=list)


class TrainingCurves:
    """Read the training scalars of trials.

    Args:
        sweep_dir: The sweep's folder.
        tags: Which scalars.
        max_steps: Global step at which a trial ends, or None.
    """

    def __init__(self, sweep_dir: SweepDir, tags: Sequence[str], max_steps: int | None) -> None:
        self._dir = sweep_dir
        self._tags = frozenset(tags)
        self._width = -(-max_steps // POINTS) if max_steps else _WIDTH
        self._trials: dict[int, _Trial] = {}

    def due(self, trial: int, last_step: int | None) -> list[Point]:
        """Return the points that have not arrived yet.

        Args:
            trial: Its number.
            last_step: Points beyond it are kept for later: the trial may be pruned before them.
                None if all count.
        """
        if not self._tags:
            return []
        found = self._trials.get(trial)
        if found is None:
            follower = Follower(self._dir.trial(trial).path, training=True, evaluations=False)
            found = self._trials[trial] = _Trial(follower)
        waiting = found.later + [
            Point(tag, value, event.time, event.step)
            for event in found.follower.poll()
            for tag, value in event.scalars.items()
            if tag in self._tags
        ]
        found.later = []
        for point in waiting:
            if last_step is not None and point.step > last_step:
                found.later.append(point)
            elif (place := (point.tag, point.step // self._width)) not in found.taken:
                found.taken.add(place)
                found.due.append(point)
        return found.due

    def arrived(self, trial: int) -> None:
        """Know that what was due of a trial has arrived."""
        if trial in self._trials:
            self._trials[trial].due = []

    def forget(self, trial: int) -> None:
        """Close the files of a trial that will not run again."""
        self._trials.pop(trial, None)
