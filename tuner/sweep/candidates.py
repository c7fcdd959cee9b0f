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
from tuner.sweep.peers import Peers, Sole
from tuner.sweep.repeating import Repeating
from tuner.values import TrialState


class Candidates:
    """Hold the trials that wait for a worker, and draw new ones.

    Args:
        spec: The sweep.
        study: Draws parameters.
        scheduler: Says who is promoted and who is replaced.
        settle: Settles a trial that will not run again.
        count: Counts what a trial has done under an earlier or another driver.
        peers: The other drivers of the sweep.
    """

    def __init__(
        self,
        spec: SweepSpec,
        study: Study,
        scheduler: Scheduler,
        settle: Callable[[TrialRecord], None],
        count: Callable[[TrialRecord], None],
        peers: Peers | Sole,
    ) -> None:
        self._spec = spec
        self._study = study
        self._scheduler = scheduler
        self._settle = settle
        self._count = count
        self._peers = peers
        self._waiting: dict[int, TrialRecord] = {}  # interrupted, to be taken up first
        self._paused: dict[int, TrialRecord] = {}
        self._repeating = Repeating(spec.search.repeats)
        self._points = grid_points(spec.space) if spec.search.sampler.name == "grid" else None
        self._elsewhere: set[int] = set()  # another driver runs them
        self._here: set[int] = set()
        self._settled: set[int] = set()
        self._replaced: set[int] = set()  # in whose place others have begun
        self._nothing_to_start = False
        self.begun = 0

    @property
    def unsettled(self) -> tuple[int, ...]:
        """Numbers of the trials that wait or are paused."""
        return (*self._paused, *self._waiting)

    @property
    def total(self) -> int:
        """How many trials there may be: the sweep's, or as many as a grid has points, each with its seeds."""
        search = self._spec.search
        if self._points is None:
            return search.trials
        return min(search.trials, self._points * search.repeats - self._repeating.left_out)

    @property
    def paused(self) -> int:
        """How many trials are paused."""
        return len(self._paused)

    @property
    def elsewhere(self) -> int:
        """How many trials other drivers run."""
        return len(self._elsewhere)

    def recall(self) -> None:
        """Take all trials of earlier drivers, and of others that are at work."""
        with self._peers.turn():
            self._look()
            for number in sorted(self._replaced & self._paused.keys()):  # a driver died between the two
                self._settle_paused(number, "another trial has taken its place")

    def end_paused(self) -> None:
        """Settle all paused trials: the sweep ends."""
        with self._peers.turn() as shared:
            if shared:
                self._look()
            for number in list(self._paused):
                self._settle_paused(number, "never promoted")

    def set_aside(self, record: TrialRecord) -> None:
        """Keep a trial that is not settled until it is its turn."""
        self._leave(record.number)
        (self._paused if record.state is TrialState.PAUSED else self._waiting)[record.number] = record

    def settled(self, record: TrialRecord) -> None:
        """Take that a trial was settled here."""
        self._repeating.see(record)
        self._leave(record.number)
        self._settled.add(record.number)

    def next(self) -> TrialRecord | None:
        """Return the trial to run next, or None where none may run now."""
        if self._nothing_to_start and not self._peers.due:
            return None
        with self._peers.turn() as shared:
            if shared:
                self._look()
            record = self._choose()
            self._nothing_to_start = record is None
            if record is not None:
                self._leave(record.number)
                self._here.add(record.number)
            if record is not None and shared:
                self._study.note(record.number, state=TrialState.RUNNING.value, driver=self._peers.me)
            return record

    def _look(self) -> None:
        """See what has become of trials that do not run here."""
        records = self._study.trials()
        self.begun = len(records)
        for record in records:
            self._repeating.see(record)
            if record.number not in self._here and record.number not in self._settled:
                self._see(record)

    def _see(self, record: TrialRecord) -> None:
        number, was = record.number, self._place(record.number)
        running = record.state is TrialState.RUNNING and self._peers.lives(record.driver)
        record = record if running else _at_its_rung(record)
        now = "elsewhere" if running else record.state.value
        if was == (now, record.step):
            return
        if was is None:
            self._begin(record)
        if running:
            if was is None or was[0] != now:
                self._scheduler.next_stop(number, record.step or 0)
            self._leave(number)
            self._elsewhere.add(number)
            return
        self._recall(record)

    def _recall(self, record: TrialRecord) -> None:
        """Tell the scheduler what was seen of a trial elsewhere, and keep the trial."""
        self._scheduler.recall(record.number, self._losses(record), record.state)
        self._count(record)
        if record.state.settled:
            if not record.told and not self._peers.lives(record.driver):
                self._study.tell_again(record)
            self.settled(record)
        else:
            self.set_aside(record)

    def _place(self, number: int) -> tuple[str, int | None] | None:
        """Return how a trial was when it was seen last: its state and step; None if it never was."""
        if number in self._elsewhere:
            return ("elsewhere", None)
        record = self._paused.get(number) or self._waiting.get(number)
        return (record.state.value, record.step) if record is not None else None

    def _leave(self, number: int) -> None:
        self._paused.pop(number, None)
        self._waiting.pop(number, None)
        self._elsewhere.discard(number)
        self._here.discard(number)

    def _choose(self) -> TrialRecord | None:
        if self._waiting:
            record = self._study.take_up(self._waiting.pop(min(self._waiting)).number)
            self._repeating.see(record)  # its driver may have died before it had drawn everything
            self._begin(record)
            return record
        may_begin = self.begun < self.total
        step = self._scheduler.advance(may_begin)
        if isinstance(step, Promotion):
            self._study.look_again(step.trial)
            return self._paused.pop(step.trial)
        if isinstance(step, Exploit):
            return self._exploit(step)
        if may_begin and self._scheduler.draws():
            self.begun += 1
            again = self._repeating.next()
            record = self._study.begin(*again) if again else self._study.ask()
            self._repeating.see(record)
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
