"""What the settled trials of a sweep add up to: how many, the best, what is spent of its limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from tuner.paths import SweepDir
from tuner.ranking import best_step
from tuner.repeats import Groups
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.sweep.disk import CheckpointLimit
from tuner.sweep.limits import Limits
from tuner.sweep.parts import FORKED_AT
from tuner.values import TrialState


class Tally:
    """Count settled trials.

    Attributes:
        limits: What they spend of the sweep's limits.
        counts: How many there are in each state.
        best: Number and first objective of the best complete one, or None; where sets of parameters are
            trained with several seeds, the typical trial and the mean of the best set.
        valued: Whether any has had an objective.
        steps: Global steps trained by trials that do not run now, settled or not.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir) -> None:
        self._objective = spec.objectives[0]
        self._groups = Groups(spec.search.repeats, self._objective.goal)
        self.limits = Limits(spec.search, self._objective.goal)
        self.counts: Counter[TrialState] = Counter()
        self.best: tuple[int, float] | None = None
        self.valued = False
        self.steps = 0
        self._trained: Counter[int] = Counter()  # global steps of each trial
        limit = spec.search.max_checkpoint_bytes
        self._checkpoints = CheckpointLimit(sweep_dir, limit) if limit is not None else None

    @property
    def settled(self) -> int:
        """How many trials are settled."""
        return sum(self.counts.values())

    def count(self, record: TrialRecord) -> None:
        """Count a trial that will not run again."""
        self.counts[record.state] += 1
        self.valued = self.valued or bool(record.values)
        goal = self._objective.goal
        value = record.values.get(self._objective.metric) if record.feasible else None
        if self._checkpoints is not None:
            loss = goal.loss(value) if value is not None and not math.isnan(value) else math.inf
            self._checkpoints.settle(record.number, loss, best_step(record.curve, goal))
        was_over = self._groups.over(self._groups.of(record.number, record.tags))
        group = self._groups.settle(record.number, record.tags, record.state, value)
        judged = self._groups.over(group) and not was_over
        self.limits.settle(record.state, record.reason, group.mean if self._groups.whole(group) else None, judged)
        if (best := self._groups.best) is not None and best.mean is not None:
            self.best = (best.typical, best.mean)

    def train(self, trial: int, steps: int) -> None:
        """Count steps that a trial was trained."""
        self.steps += steps
        self._trained[trial] += steps

    def recall(self, record: TrialRecord) -> None:
        """Count what a trial has trained under earlier or other drivers, and the trial if it is settled.

        A driver that was killed noted nothing of the lives that ended with it; what was reported of
        them counts.
        """
        trained = max(record.trained, (record.step or 0) - int(record.tags.get(FORKED_AT, 0)))
        self.train(record.number, max(0, trained - self._trained[record.number]))
        if record.state.settled:
            self.count(record)

    def thin_checkpoints(self, running: Iterable[int], waiting: Iterable[int]) -> str:
        """Keep the sweep's checkpoints below its limit; return a line worth saying, or nothing."""
        return self._checkpoints.enforce(running, waiting) if self._checkpoints is not None else ""
