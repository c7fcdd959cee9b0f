"""Where a sweep stands, from its records: what the page of the sweep's run says.

Records may come twice; what was taken before changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tuner.domain.objective import Goal
from tuner.domain.pareto import nondominated
from tuner.domain.repeats import SeedGroups
from tuner.domain.tags import FEASIBLE, MEAN, SPREAD
from tuner.domain.trial import TrialState
from tuner.recorders.mlflow.naming import ValidNames
from tuner.records.record import Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.space.parameters import Params


@dataclass(frozen=True)
class Improvement:
    """A trial became the best, or the typical one of the best set of parameters; that set's mean is its value then.

    Attributes:
        finished: How many trials were finished then, this one among them.
        step: The trial's last step.
    """

    finished: int
    trial: int
    values: Mapping[str, float]
    time: float
    step: int


class SweepSummary:
    """Take records, and know where the sweep stands.

    Attributes:
        opened: The sweep as its latest driver opened it, or None before the first.
        began: When its first driver opened it, in seconds since 1970.
        closed: How its latest driver ended, or None while one is at work.
        states: Each trial's state.
        params: Each trial's parameters and constants.
        names: What MLflow calls those.
        values: The objectives of each complete and feasible trial.
        best: Number and objectives of the best trial by the first objective, or None.
        improvements: Each trial that was the best when it completed, or when the best one came to another end.
    """

    def __init__(self) -> None:
        self.opened: SweepOpened | None = None
        self.began = 0.0
        self.closed: SweepClosed | None = None
        self.states: dict[int, TrialState] = {}
        self.params: dict[int, Params] = {}
        self.names = ValidNames()
        self.values: dict[int, Mapping[str, float]] = {}
        self.best: tuple[int, Mapping[str, float]] | None = None
        self.improvements: list[Improvement] = []
        self._finished: dict[int, TrialChanged] = {}
        self._groups: SeedGroups | None = None  # if parameters are repeated with several seeds

    @property
    def counts(self) -> Counter[TrialState]:
        """Trials in each state."""
        return Counter(self.states.values())

    @property
    def front(self) -> list[int]:
        """The complete trials that no other one is better than in every objective."""
        losses = {trial: self._losses(values) for trial, values in self.values.items()}
        return nondominated({trial: found for trial, found in losses.items() if found})

    def judges_best(self, metric: str) -> bool:
        """Whether a trial's objective of that metric is the best of its values, not one of the last."""
        return self.opened is not None and self.opened.options.get("of", {}).get(metric) == "best"

    def on_record(self, record: Record) -> None:
        """Take a record, in the order of the log."""
        if isinstance(record, SweepOpened):
            self.opened, self.closed = record, None
            self.began = self.began or record.time
            self.names.add(record.parameters)
            self._groups = self._groups or self._seed_groups()
        elif isinstance(record, SweepClosed):
            self.closed = record
        elif isinstance(record, TrialOpened):
            self.params[record.trial] = record.params
            self.names.add(record.params)
        elif isinstance(record, TrialChanged):
            self._change(record)

    def _change(self, record: TrialChanged) -> None:
        self.states[record.trial] = record.state
        before = self._finished.get(record.trial)
        if record.state is TrialState.RUNNING or (before is not None and _same_end(before, record)):
            return  # what a trial has come to stands until it ends otherwise
        if before is not None:
            del self._finished[record.trial]
        if record.state.is_finished:
            self._finished[record.trial] = record
        if before is not None:
            self._judge_anew(record.time)
        elif record.state.is_finished:
            self._judge(record)

    def _judge(self, record: TrialChanged) -> None:
        """Count a finished trial, and note it if it is the best."""
        values, trial = record.values, record.trial
        counts = record.state is TrialState.COMPLETE and record.tags.get(FEASIBLE) != "false"
        if counts:
            self.values[trial] = values
        losses = self._losses(values) if counts else []
        if not losses or math.isnan(losses[0]):
            return
        if self._groups is not None:
            trial, values = self._judge_group(self._groups, record)
            losses = self._losses(values)
        if not losses or math.isnan(losses[0]):
            return
        if self.best is None or losses[0] < self._losses(self.best[1])[0]:
            self.best = trial, values
            improvement = Improvement(len(self._finished), trial, values, record.time, record.step or 0)
            self.improvements.append(improvement)

    def _judge_anew(self, time: float) -> None:
        """Judge all finished trials again: one of them has come to another end, under ``retry`` or the next driver."""
        best, history = self.best, self.improvements
        self.values, self.improvements, self.best = {}, [], None
        self._groups = self._seed_groups()
        for record in self._finished.values():
            self._judge(record)
        found, self.improvements = self.improvements[-1:], history
        if self.best != best and found:
            finished = max([len(self._finished), *(earlier.finished for earlier in history[-1:])])
            self.improvements.append(replace(found[0], finished=finished, time=time))

    def _judge_group(self, groups: SeedGroups, record: TrialChanged) -> tuple[int, dict[str, float]]:
        """Return the typical trial of a set of parameters and its mean; no values if more are to come."""
        metric = next(iter(record.values))
        group = groups.finish(record.trial, record.tags, record.state, record.values[metric])
        whole = groups.is_complete(group) and group.mean is not None
        return group.typical, {metric: group.mean} if whole and group.mean is not None else {}

    def _seed_groups(self) -> SeedGroups | None:
        repeats = self.opened.settings.get("repeats", 1) if self.opened is not None else 1
        if self.opened is None or repeats == 1:
            return None
        return SeedGroups(repeats, Goal(next(iter(self.opened.objectives.values()))))

    def together(self, record: TrialChanged) -> dict[int, dict[str, str]]:
        """Return tags of all trials of a set of parameters, if a record, taken before, was its last."""
        if self._groups is None:
            return {}
        group = self._groups.group_of(record.trial, record.tags)
        if not self._groups.is_complete(group):
            return {}
        return {trial: {MEAN: repr(group.mean), SPREAD: repr(group.spread)} for trial in group.values}

    def _losses(self, values: Mapping[str, float]) -> list[float]:
        objectives = self.opened.objectives if self.opened else {}
        if not all(metric in values for metric in objectives):
            return []
        return [Goal(goal).loss(values[metric]) for metric, goal in objectives.items()]


def _same_end(one: TrialChanged, other: TrialChanged) -> bool:
    """Whether two records say the same of what a trial has come to; NaN equals itself."""
    return (one.state, repr(one.values), one.tags.get(FEASIBLE)) == (
        other.state,
        repr(other.values),
        other.tags.get(FEASIBLE),
    )
