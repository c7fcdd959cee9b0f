"""Where a sweep stands, from its records: what the page of the sweep's run says.

Records may come twice; what was taken before changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tuner.records import Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.values import Goal, Params, TrialState


@dataclass(frozen=True)
class Improvement:
    """A trial became the best.

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
        losses = {trial: found for trial, found in losses.items() if found and not any(map(math.isnan, found))}
        return sorted(t for t, own in losses.items() if not any(_dominates(o, own) for o in losses.values()))

    def take(self, record: Record) -> None:
        """Take a record, in the order of the log."""
        if isinstance(record, SweepOpened):
            self.opened, self.closed = record, None
            self.began = self.began or record.time
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
        if self.improvements and self._losses(self.improvements[-1].values)[0] <= losses[0]:
            return
        settled = sum(state.settled for state in self.states.values())
        self.improvements.append(Improvement(settled, record.trial, record.values, record.time, record.step or 0))

    def _losses(self, values: Mapping[str, float]) -> list[float]:
        objectives = self.opened.objectives if self.opened else {}
        if not all(metric in values for metric in objectives):
            return []
        return [Goal(goal).loss(values[metric]) for metric, goal in objectives.items()]


def _dominates(one: list[float], other: list[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other
