"""Where a sweep stands, from its records: what the page of the sweep's run says.

Records may come twice; what was taken before changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tuner.ranking import nondominated
from tuner.records import Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.repeats import MEAN, SPREAD, Groups
from tuner.values import Goal, Params, TrialState


@dataclass(frozen=True)
class Improvement:
    """A trial became the best, or the typical one of the best set of parameters; that set's mean is its value then.

    Attributes:
        settled: How many trials were settled then, this one among them.
        step: The trial's last step.
    """

    settled: int
    trial: int
    values: Mapping[str, float]
    time: float
    step: int


class Standing:
    """Take records, and know where the sweep stands.

    Attributes:
        opened: The sweep as its latest driver opened it, or None before the first.
        began: When its first driver opened it, in seconds since 1970.
        closed: How its latest driver ended, or None while one is at work.
        states: Each trial's state.
        params: Each trial's parameters and constants.
        values: The objectives of each complete and feasible trial.
        improvements: Each trial that was the best when it completed.
    """

    def __init__(self) -> None:
        self.opened: SweepOpened | None = None
        self.began = 0.0
        self.closed: SweepClosed | None = None
        self.states: dict[int, TrialState] = {}
        self.params: dict[int, Params] = {}
        self.values: dict[int, Mapping[str, float]] = {}
        self.improvements: list[Improvement] = []
        self._groups: Groups | None = None  # where parameters are repeated with several seeds

    @property
    def best(self) -> tuple[int, Mapping[str, float]] | None:
        """Number and objectives of the best trial by the first objective, or None."""
        if not self.improvements:
            return None
        return self.improvements[-1].trial, self.improvements[-1].values

    @property
    def counts(self) -> Counter[TrialState]:
        """Trials in each state."""
        return Counter(self.states.values())

    @property
    def front(self) -> list[int]:
        """The complete trials that no other one is better than in every objective."""
        losses = {trial: self._losses(values) for trial, values in self.values.items()}
        return nondominated({trial: found for trial, found in losses.items() if found})

    def take(self, record: Record) -> None:
        """Take a record, in the order of the log."""
        if isinstance(record, SweepOpened):
            self.opened, self.closed = record, None
            self.began = self.began or record.time
            if self._groups is None and (repeats := record.settings.get("repeats", 1)) > 1:
                self._groups = Groups(repeats, Goal(next(iter(record.objectives.values()))))
        elif isinstance(record, SweepClosed):
            self.closed = record
        elif isinstance(record, TrialOpened):
            self.params[record.trial] = record.params
        elif isinstance(record, TrialChanged):
            self._change(record)

    def _change(self, record: TrialChanged) -> None:
        self.states[record.trial] = record.state
        if record.state is not TrialState.COMPLETE or record.trial in self.values:
            return
        if record.tags.get("tuner.feasible") == "false":
            return
        self.values[record.trial] = record.values
        losses = self._losses(record.values)
        if not losses or math.isnan(losses[0]):
            return
        trial, values = record.trial, record.values
        if self._groups is not None:
            trial, values = self._judge_group(self._groups, record)
        if not values or (
            self.improvements and self._losses(self.improvements[-1].values)[0] <= self._losses(values)[0]
        ):
            return
        settled = sum(state.settled for state in self.states.values())
        self.improvements.append(Improvement(settled, trial, values, record.time, record.step or 0))

    def _judge_group(self, groups: Groups, record: TrialChanged) -> tuple[int, dict[str, float]]:
        """Return the typical trial of a set of parameters and its mean; no values where more are to come."""
        metric = next(iter(record.values))
        group = groups.settle(record.trial, record.tags, record.state, record.values[metric])
        whole = groups.whole(group) and group.mean is not None
        return group.typical, {metric: group.mean} if whole and group.mean is not None else {}

    def together(self, record: TrialChanged) -> dict[int, dict[str, str]]:
        """Return tags of all trials of a set of parameters, where a record, taken before, was its last."""
        if self._groups is None:
            return {}
        group = self._groups.of(record.trial, record.tags)
        if not self._groups.whole(group):
            return {}
        return {trial: {MEAN: repr(group.mean), SPREAD: repr(group.spread)} for trial in group.values}

    def _losses(self, values: Mapping[str, float]) -> list[float]:
        objectives = self.opened.objectives if self.opened else {}
        if not all(metric in values for metric in objectives):
            return []
        return [Goal(goal).loss(values[metric]) for metric, goal in objectives.items()]
