"""Which trial runs next: one left behind, one promoted, one in another's place, a new one, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tuner.schedulers import Exploit, Promotion, Scheduler
from tuner.space.sampling import grid_points
from tuner.spec import SweepSpec
from tuner.study import Study, TrialRecord
from tuner.sweep.outcomes import objective_values
from tuner.sweep.parts import FORKED_AT, FORKED_FROM, REPLACES
from tuner.values import TrialState


class Candidates:
    """Hold the trials that wait for a worker, and draw new ones.

    Args:
        spec: The sweep.
        study: Draws parameters.
        scheduler: Says who is promoted and who is replaced.
        settle: Settles a trial that will not run again.
    """

    def __init__(
        self, spec: SweepSpec, study: Study, scheduler: Scheduler, settle: Callable[[TrialRecord], None]
    ) -> None:
        self._spec = spec
        self._study = study
        self._scheduler = scheduler
        self._settle = settle
        self._waiting: dict[int, TrialRecord] = {}  # interrupted, to be taken up first
        self._paused: dict[int, TrialRecord] = {}
        self._points = grid_points(spec.space) if spec.search.sampler.name == "grid" else None
        self._replaced: set[int] = set()  # in whose place others have begun
        self.begun = 0

    @property
    def unsettled(self) -> tuple[int, ...]:
        """Numbers of the trials that wait or are paused."""
        return (*self._paused, *self._waiting)

    @property
    def total(self) -> int:
        """How many trials there may be: the sweep's, or as many as a grid has points."""
        trials = self._spec.search.trials
        return trials if self._points is None else min(trials, self._points)

    @property
    def paused(self) -> int:
        """How many trials are paused."""
        return len(self._paused)

    def recall(self, record: TrialRecord) -> TrialRecord:
        """Take a trial of an earlier driver; return it in the state in which it now is."""
        record = _at_its_rung(record)
        self.begun += 1
        self._begin(record)
        self._scheduler.recall(record.number, self._losses(record), record.state)
        if not record.state.settled:
            self.set_aside(record)
        return record

    def end_replaced(self) -> None:
        """Settle paused trials in whose place others have begun, if a driver died between the two."""
        for number in sorted(self._replaced & self._paused.keys()):
            self._settle_paused(number, "another trial has taken its place")

    def end_paused(self) -> None:
        """Settle all paused trials: the sweep ends."""
        for number in list(self._paused):
            self._settle_paused(number, "never promoted")

    def set_aside(self, record: TrialRecord) -> None:
        """Keep a trial that is not settled until it is its turn."""
        (self._paused if record.state is TrialState.PAUSED else self._waiting)[record.number] = record

    def next(self) -> TrialRecord | None:
        """Return the trial to run next, or None where none may run now."""
        if self._waiting:
            return self._study.take_up(self._waiting.pop(min(self._waiting)).number)
        may_begin = self.begun < self.total
        step = self._scheduler.advance(may_begin)
        if isinstance(step, Promotion):
            return self._paused.pop(step.trial)
        if isinstance(step, Exploit):
            return self._exploit(step)
        if may_begin and self._scheduler.draws():
            self.begun += 1
            record = self._study.ask()
            self._begin(record)
            return record
        return None

    def _losses(self, record: TrialRecord) -> dict[int, list[float]]:
        """Return a trial's losses, one for each objective, at the steps at which it has them all."""
        first, *others = self._spec.objectives
        curves = [record.curve, *(record.others.get(objective.metric, {}) for objective in others)]
        return {
            step: [o.goal.loss(curve[step]) for o, curve in zip((first, *others), curves, strict=True)]
            for step in record.curve
            if all(step in curve for curve in curves)
        }

    def _begin(self, record: TrialRecord) -> None:
        """Tell the scheduler that a trial exists."""
        replaces = record.tags.get(REPLACES)
        self._scheduler.begin(
            record.number,
            record.params,
            replaces=int(replaces) if replaces is not None else None,
            step=int(record.tags.get(FORKED_AT, 0)),
        )
        if replaces is not None:
            self._replaced.add(int(replaces))

    def _exploit(self, step: Exploit) -> TrialRecord:
        """End a paused trial, and begin one in its place from another one's checkpoint."""
        tags = {FORKED_FROM: str(step.donor), FORKED_AT: str(step.step), REPLACES: str(step.trial)}
        self.begun += 1
        # The new one first: a driver that dies between the two finds the old one replaced.
        record = self._study.begin(step.params, tags)
        self._begin(record)
        reason = f"at step {step.step} trial {step.donor} was better: trial {record.number} goes on from there"
        self._settle_paused(step.trial, reason)
        return record

    def _settle_paused(self, number: int, reason: str) -> None:
        record = self._paused.pop(number)
        curves = {self._spec.objectives[0].metric: record.curve, **record.others}
        values = objective_values(self._spec.objectives, curves)
        self._settle(replace(record, state=TrialState.PRUNED, reason=reason, values=values))


def _at_its_rung(record: TrialRecord) -> TrialRecord:
    """Return a trial as paused if it came to its rung and its driver died or stopped before it said so."""
    if record.state.settled or record.state is TrialState.PAUSED or record.stop_at is None:
        return record
    at_rung = record.step is not None and record.step >= record.stop_at
    return replace(record, state=TrialState.PAUSED) if at_rung else record
