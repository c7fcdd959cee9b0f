"""A sweep without trials: what a driver asks of a scheduler and tells it, in a random order that a seed gives.

Comes in: a scheduler and a seed. Goes out: what the scheduler said, in order. What it may not say is an AssertionError.
"""

from __future__ import annotations

import copy
import json
import math
import random
from dataclasses import dataclass, field
from typing import Any

from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import Begin, Exploit, Promotion, Scheduler
from tuner.space.conditions import walk
from tuner.space.drawing import drawn
from tuner.space.parameters import Params
from tuner.space.points import fitted_point

WORKERS = 3
FAILED, LOST, STOPPED_BY_HAND = 0.02, 0.03, 0.02
"""Shares of the events at which a running trial fails, loses its process and goes on later, is pruned by somebody."""


@dataclass
class PlayedTrial:
    """What a study knows of a trial.

    Attributes:
        begun_at: Global step at which it began, above 0 with another one's checkpoint.
        curve: Global step to losses.
        stop_at: Global step at which it pauses, or None for its end.
        ended: How many processes of it have ended.
        trained: Global steps that those trained.
    """

    number: int
    params: Params
    replaces: int | None = None
    begun_at: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, list[float]] = field(default_factory=dict)
    state: TrialState = TrialState.RUNNING
    stop_at: int | None = None
    ended: int = 0
    trained: int = 0

    @property
    def step(self) -> int:
        """Global step up to which it was judged."""
        return max(self.curve, default=self.begun_at)


class PlayedSweep:
    """Play a sweep with three workers to its end.

    Args:
        scheduler: A new one.
        spec: How many trials and objectives there are, and how long trials train.
        seed: Of what happens and of all losses.
    """

    def __init__(self, scheduler: Scheduler, spec: SweepSpec, seed: int) -> None:
        self.trials: list[PlayedTrial] = []
        self.said: list[str] = []
        self.events = 0
        self._scheduler = scheduler
        self._spec = spec
        self._seed = seed
        self._fill_workers()

    @property
    def is_over(self) -> bool:
        """Whether no trial runs and none is to come."""
        return not self._in(TrialState.RUNNING)

    def restarted(self, scheduler: Scheduler) -> PlayedSweep:
        """Return this sweep as another driver goes on with it, which knows what the study knows.

        Args:
            scheduler: A new one, which is told the history.
        """
        other = copy.copy(self)
        other.trials, other.said, other._scheduler = copy.deepcopy(self.trials), [], scheduler
        for trial in other.trials:
            other._tell_begin(trial)
            other._tell_seconds(trial)
            scheduler.replay(trial.number, dict(trial.curve), trial.state)
        for trial in other._in(TrialState.RUNNING):
            other._start(trial)
        other.said.clear()  # the sweep that was left had said it before
        return other

    def run(self, until: int | None = None) -> PlayedSweep:
        """Let things happen up to a number of events, or to the end."""
        while not self.is_over and (until is None or self.events < until):
            self._happen(random.Random(f"{self._seed} {self.events}"))
            self.events += 1
            self._fill_workers()
        return self

    def _in(self, *states: TrialState) -> list[PlayedTrial]:
        return [trial for trial in self.trials if trial.state in states]

    def _tell_begin(self, trial: PlayedTrial) -> None:
        self._scheduler.on_begin(trial.number, trial.params, trial.replaces, trial.begun_at, trial.memory)

    def _tell_seconds(self, trial: PlayedTrial) -> None:
        """Tell what a trial has taken: a second a step, and for a start nothing, or as long as for some evaluations."""
        every = self._spec.train.bounds()[0]
        start_s = every * (0, 1, 3)[self._seed % 3]
        seconds, starting = trial.ended * start_s + trial.trained, trial.ended * (start_s + every)
        self._scheduler.took(trial.number, seconds, min(seconds, starting), trial.trained, trial.ended)

    def _end_process(self, trial: PlayedTrial, state: TrialState) -> None:
        if trial.state is TrialState.RUNNING:
            trial.ended += 1
            trial.trained = trial.step - trial.begun_at
        trial.state = state
        self._tell_seconds(trial)

    def _happen(self, chance: random.Random) -> None:
        """Let something happen to a running trial: most of the time an evaluation."""
        trial = chance.choice(self._in(TrialState.RUNNING))
        kind = chance.random()
        if kind < FAILED:
            self._finish(trial, TrialState.FAIL)
        elif kind < FAILED + LOST:
            self._end_process(trial, TrialState.INTERRUPTED)
        elif kind < FAILED + LOST + STOPPED_BY_HAND and trial.curve:
            self._finish(trial, TrialState.PRUNED)
        else:
            self._evaluate(trial, chance)

    def _evaluate(self, trial: PlayedTrial, chance: random.Random) -> None:
        every, end = self._spec.train.bounds()
        step = min(end, trial.step + every)
        trial.curve[step] = [_loss(chance) for _ in self._spec.objectives]
        decision = self._report(trial, step)
        self.said.append(f"trial {trial.number} at step {step}: {decision.name}")
        if step == end:
            odd = any(not math.isfinite(loss) for loss in trial.curve[step])
            self._finish(trial, TrialState.FAIL if odd else TrialState.COMPLETE)
        elif decision is Decision.STOP:
            self._finish(trial, TrialState.PRUNED)
        elif step == trial.stop_at or (decision is Decision.PAUSE and self._scheduler.pauses_anywhere):
            self._pause(trial)
        else:
            assert decision is Decision.CONTINUE, f"{self.said[-1]}, where it neither stops by itself nor may be paused"

    def _report(self, trial: PlayedTrial, step: int) -> Decision:
        decision = self._scheduler.report(trial.number, step, list(trial.curve[step]))
        assert isinstance(decision, Decision), f"report returned {decision!r}, expected a Decision"
        return decision

    def _finish(self, trial: PlayedTrial, state: TrialState) -> None:
        self._end_process(trial, state)
        self._scheduler.on_finished(trial.number, state)

    def _pause(self, trial: PlayedTrial) -> None:
        self._end_process(trial, TrialState.PAUSED)
        self._scheduler.on_finished(trial.number, TrialState.PAUSED)

    def _start(self, trial: PlayedTrial) -> None:
        """Start an attempt: its evaluations so far are reported again."""
        trial.state = TrialState.RUNNING
        every, end = self._spec.train.bounds()
        stop = self._scheduler.next_stop(trial.number, trial.step)
        said = f"next_stop({trial.number}, {trial.step}) returned {stop!r}"
        assert stop is None or (isinstance(stop, int) and trial.step < stop), f"{said}, expected a later step"
        assert stop is None or stop >= end or stop % every == 0, f"{said}, where there is no evaluation"
        trial.stop_at = stop
        self.said.append(said)
        for step in sorted(trial.curve):
            if self._report(trial, step) is Decision.PAUSE and self._scheduler.pauses_anywhere:
                self._pause(trial)
                return

    def _fill_workers(self) -> None:
        while len(self._in(TrialState.RUNNING)) < WORKERS:
            if waiting := self._in(TrialState.INTERRUPTED):
                self._tell_begin(waiting[0])
                self._start(waiting[0])
            elif not self._start_next():
                return

    def _start_next(self) -> bool:
        """Start what the scheduler wants, or a new trial; return whether one was started."""
        may_begin = len(self.trials) < self._spec.search.trials
        wanted = self._scheduler.next_resume(may_begin)
        self.said.append(f"next_resume({may_begin}) returned {wanted!r}")
        assert may_begin or not isinstance(wanted, (Begin, Exploit)), f"{self.said[-1]}, and no trial may begin"
        if isinstance(wanted, Promotion):
            self._start(self._paused(wanted.trial))
        elif isinstance(wanted, Exploit):
            replaced = self._paused(wanted.trial)
            assert wanted.donor < len(self.trials), f"{self.said[-1]}: there is no trial {wanted.donor}"
            donor = self.trials[wanted.donor]
            assert wanted.step in donor.curve, f"{self.said[-1]}: trial {wanted.donor} was not there"
            begun = PlayedTrial(len(self.trials), self._of_space(wanted.params), wanted.trial, wanted.step)
            self._begin(begun)
            self._finish(replaced, TrialState.PRUNED)
        elif isinstance(wanted, Begin):
            memory = json.loads(json.dumps(dict(wanted.memory), allow_nan=False))
            self._begin(PlayedTrial(len(self.trials), self._of_space(wanted.params), memory=memory))
        elif may_begin and self._scheduler.wants_new_trial():
            number = len(self.trials)
            chance = random.Random(f"{self._seed} trial {number}")
            self._begin(PlayedTrial(number, walk(self._spec.space, lambda parameter: drawn(parameter, chance))))
        else:
            assert wanted is None, f"{self.said[-1]}, expected a Promotion, an Exploit, a Begin or None"
            return False
        return True

    def _paused(self, number: int) -> PlayedTrial:
        assert 0 <= number < len(self.trials), f"{self.said[-1]}: there is no trial {number}"
        trial = self.trials[number]
        assert trial.state is TrialState.PAUSED, f"{self.said[-1]}: trial {number} is {trial.state.value}, not PAUSED"
        return trial

    def _of_space(self, params: Params) -> Params:
        fitted, wrong = fitted_point(params, self._spec.space)
        assert not wrong, f"{self.said[-1]}: {wrong}"
        return fitted

    def _begin(self, trial: PlayedTrial) -> None:
        self.trials.append(trial)
        self._tell_begin(trial)
        self._start(trial)


def _loss(chance: random.Random) -> float:
    return chance.choice([*[chance.random() for _ in range(8)], chance.choice([0.5, math.nan, math.inf, -math.inf])])
