"""Which trial runs next: one interrupted, one promoted, one in another's place, a new one, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tuner.config.sampler_options import sampler_kind
from tuner.domain.scoring import curves_of, losses_at, objective_values
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import FORKED_AT, FORKED_FROM, REPEAT_OF, REPLACES
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.outcomes import at_its_rung
from tuner.driver.peers import SharedDrivers, SoleDriver
from tuner.driver.repeat_queue import RepeatQueue
from tuner.driver.stop_criteria import StopReason
from tuner.schedulers import Begin, Exploit, Promotion, Scheduler
from tuner.study import Study
from tuner.study.encoding import grid_points

NEVER_RESUMED = "paused when the sweep ended"  # why a trial is PRUNED that might have gone on


@dataclass(frozen=True)
class Next:
    """What is to be done for a worker that is free.

    Attributes:
        start: The trial to run, or None if none may run now; if its record is finished already, it cannot begin. Its
            reason is why it runs now, if the scheduler said so.
        finished: Trials that will not run again because of it, to be finished by the loop.
    """

    start: TrialRecord | None
    finished: tuple[TrialRecord, ...] = ()


class TrialQueue:
    """Hold the trials that wait for a worker, and draw new ones.

    What reads or changes the study is called while other drivers are kept out (``SharedDrivers.exclusive``).

    Args:
        spec: The sweep.
        study: Draws parameters.
        scheduler: Says who is promoted and who is replaced.
        peers: The other drivers of the sweep.
        paused: Is told of a trial that came to its rung and whose driver died or stopped before it said so: the sampler
            learns from what is paused.
    """

    def __init__(
        self,
        spec: SweepSpec,
        study: Study,
        scheduler: Scheduler,
        peers: SharedDrivers | SoleDriver,
        paused: Callable[[TrialRecord], None],
    ) -> None:
        self._spec = spec
        self._tell_paused = paused
        self._study = study
        self._scheduler = scheduler
        self._peers = peers
        self._waiting: dict[int, TrialRecord] = {}  # interrupted, to be taken up first
        self._paused: dict[int, TrialRecord] = {}
        self._repeats = RepeatQueue(spec.search.repeats, scheduler.repeats_complete_trials)
        self._points = grid_points(spec.space) if sampler_kind(spec.search.sampler.name).lists_values else None
        self._on_other_drivers: set[int] = set()  # another driver runs them
        self._on_this_driver: set[int] = set()
        self._finished: set[int] = set()
        self._replaced: set[int] = set()  # paused, and replaced by a copy of another trial
        self._nothing_to_start = False
        self.begun = 0

    @property
    def total(self) -> int:
        """How many trials there may be: the sweep's, or as many as a grid has points, each with its seeds."""
        search = self._spec.search
        if self._points is None:
            return search.trials
        return min(search.trials, self._points * search.repeats - self._repeats.left_out)

    @property
    def paused(self) -> int:
        """How many trials are paused."""
        return len(self._paused)

    @property
    def elsewhere(self) -> int:
        """How many trials other drivers run."""
        return len(self._on_other_drivers)

    @property
    def unsettled(self) -> set[int]:
        """The trials that run, here or elsewhere, or are to be taken up first."""
        return {*self._waiting, *self._on_other_drivers, *self._on_this_driver}

    @property
    def to_begin(self) -> int:
        """How many trials have not begun."""
        return max(0, self.total - self.begun)

    def may_start(self, end: StopReason | None) -> bool:
        """Whether to ask for the next trial: not if there was none to start and nothing has changed since.

        When the sweep ends and those that run are waited for, only for such as ran when their driver died.
        """
        if end is not None:
            left_running = any(record.state is TrialState.RUNNING for record in self._waiting.values())
            return left_running and not end.at_once
        return not self._nothing_to_start or self._peers.due

    def sync(self) -> list[TrialRecord]:
        """See what has become of trials that do not run here; return those that have come to another state."""
        records = self._study.trials()
        self.begun = len(records)
        changed = []
        for record in records:
            self._repeats.add(record)
            if record.number not in self._on_this_driver and record.number not in self._finished:
                changed += self._sync_one(record)
        return changed

    def replaced(self) -> list[TrialRecord]:
        """Return the paused trials in whose place others have begun: a driver died before it finished them."""
        numbers = sorted(self._replaced & self._paused.keys())
        return [self._never_resumed(number, "another trial has taken its place") for number in numbers]

    def never_promoted(self) -> list[TrialRecord]:
        """Return all paused trials, as the sweep ends without them."""
        return [self._never_resumed(number, NEVER_RESUMED) for number in list(self._paused)]

    def abandoned(self) -> list[TrialRecord]:
        """Return the trials that are said to run but do not: their drivers died, and no worker took them up."""
        left = [record for record in self._waiting.values() if record.state is TrialState.RUNNING]
        for record in left:
            self._study.forget_cached(record.number)
        return left

    def suspend(self, record: TrialRecord) -> None:
        """Keep a trial that is not finished until it is its turn."""
        self._forget(record.number)
        (self._paused if record.state is TrialState.PAUSED else self._waiting)[record.number] = record

    def finished(self, record: TrialRecord) -> None:
        """Note that a trial was finished here."""
        self._repeats.add(record)
        self._forget(record.number)
        self._finished.add(record.number)

    def next(self) -> Next:
        """Choose the trial to run next."""
        chosen = self._choose()
        record = chosen.start
        self._nothing_to_start = record is None
        if record is not None:
            self._forget(record.number)
            self._on_this_driver.add(record.number)
            if self._peers.name:
                self._study.note(record.number, state=TrialState.RUNNING.value, driver=self._peers.name)
        return chosen

    def _sync_one(self, record: TrialRecord) -> list[TrialRecord]:
        number, was = record.number, self._last_seen(record.number)
        begun = record.state is TrialState.RUNNING
        running = begun and self._peers.is_alive(record.driver)
        if not running and _is_at_its_rung(record):
            record = replace(record, state=TrialState.PAUSED, reason=at_its_rung(record.stop_at))
            self._tell_paused(record)
        now = "elsewhere" if running else record.state.value
        if was == (now, record.step):
            return []
        if was is None:
            self._begin(record)
        if running:
            if was is None or was[0] != now:
                self._scheduler.next_stop(number, record.step or 0)
            self._forget(number)
            self._on_other_drivers.add(number)
            return []
        # How long the attempt took with which its driver died, nobody has noted.
        self._scheduler.took(number, record.seconds, record.starting, record.trained, record.attempts - begun)
        self._recall(record)
        return [record]

    def _recall(self, record: TrialRecord) -> None:
        """Tell the scheduler what was seen of a trial elsewhere, and keep the trial."""
        self._scheduler.replay(record.number, self._losses(record), record.state)
        if record.state.is_finished:
            if not record.told and not self._peers.is_alive(record.driver):
                self._study.tell_again(record)
            self.finished(record)
        else:
            self.suspend(record)

    def _last_seen(self, number: int) -> tuple[str, int | None] | None:
        """Return how a trial was when it was seen last: its state and step; None if it never was."""
        if number in self._on_other_drivers:
            return ("elsewhere", None)
        record = self._paused.get(number) or self._waiting.get(number)
        return (record.state.value, record.step) if record is not None else None

    def _forget(self, number: int) -> None:
        self._paused.pop(number, None)
        self._waiting.pop(number, None)
        self._on_other_drivers.discard(number)
        self._on_this_driver.discard(number)

    def _choose(self) -> Next:
        if self._waiting:
            record = self._study.take_up(self._waiting.pop(min(self._waiting)).number)
            self._repeats.add(record)  # its driver may have died before it had drawn everything
            self._begin(record)
            return Next(_chosen(record, ""))
        may_begin = self.begun < self.total
        step = self._scheduler.next_resume(may_begin)
        if isinstance(step, Promotion):
            self._study.forget_cached(step.trial)
            return Next(_chosen(self._paused.pop(step.trial), step.why))
        if isinstance(step, Exploit):
            return self._exploit(step)
        if may_begin and (isinstance(step, Begin) or self._repeats.due or self._scheduler.wants_new_trial()):
            return Next(self._begin_new(step))
        return Next(None)

    def _begin_new(self, wanted: Begin | None) -> TrialRecord:
        """Begin a trial: one that repeats another, one that was enqueued, one that the scheduler wants, one drawn."""
        self.begun += 1
        if again := self._repeats.next():
            record = self._study.begin(*again)
        elif wanted is not None and not self._study.has_enqueued:
            record = _chosen(self._study.begin(wanted.params, {}, wanted.memory), wanted.why)
        else:
            record = self._study.ask()
        self._repeats.add(record)
        self._begin(record)
        return record

    def _losses(self, record: TrialRecord) -> dict[int, list[float]]:
        """Return a trial's losses as the loop has reported them, at the steps at which it has all objectives."""
        objectives = self._spec.objectives
        curves = curves_of(record, objectives)
        whole = [step for step in record.curve if all(step in curves.get(o.metric, {}) for o in objectives)]
        return {step: losses_at(objectives, curves, step, self._spec.constraints) for step in whole}

    def _begin(self, record: TrialRecord) -> None:
        """Tell the scheduler that a trial exists."""
        replaces = record.tags.get(REPLACES)
        self._scheduler.on_begin(
            record.number,
            record.params,
            replaces=int(replaces) if replaces is not None else None,
            step=int(record.tags.get(FORKED_AT, 0)),
            memory=record.memory,
            repeat_of=int(record.tags[REPEAT_OF]) if REPEAT_OF in record.tags else None,
        )
        if replaces is not None:
            self._replaced.add(int(replaces))

    def _exploit(self, step: Exploit) -> Next:
        """End a paused trial, and begin one in its place from another one's checkpoint."""
        tags = {FORKED_FROM: str(step.donor), FORKED_AT: str(step.step), REPLACES: str(step.trial)}
        self.begun += 1
        # The new one first: a driver that dies between the two finds the old one replaced.
        record = self._study.begin(step.params, tags)
        self._begin(record)
        reason = f"at step {step.step} trial {step.donor} was better: trial {record.number} goes on from there"
        return Next(record, (self._never_resumed(step.trial, reason),))

    def _never_resumed(self, number: int, reason: str) -> TrialRecord:
        """Return a paused trial as pruned, with the objectives that it has come to."""
        record = self._paused.pop(number)
        self._study.forget_cached(number)
        values = objective_values(self._spec.objectives, curves_of(record, self._spec.objectives))
        return replace(record, state=TrialState.PRUNED, reason=reason, values=values)


def _chosen(record: TrialRecord, why: str) -> TrialRecord:
    """Return a trial that was chosen to run, with the reason; one that cannot begin keeps its own."""
    return record if record.state.is_finished else replace(record, reason=why)


def _is_at_its_rung(record: TrialRecord) -> bool:
    """Whether a trial has come to the step at which it was to pause, and is not said to be paused or finished."""
    if record.state.is_finished or record.state is TrialState.PAUSED or record.stop_at is None:
        return False
    return record.step is not None and record.step >= record.stop_at
