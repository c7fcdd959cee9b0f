"""Asynchronous successive halving with promotion (ASHA).

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (arXiv 1810.05934),
algorithm 2: a trial pauses at each rung; a worker that is free takes the best trial that is among the
best one in ``eta`` of a rung and was not promoted from it, from the highest rung down, and if there
is none, a new trial. The algorithm draws trials without end; a sweep does not, so when its last trial
was drawn and none could be promoted to the end, the best trial of the highest rung is promoted.

A rung promotes only while fewer than its share have gone on from it (delayed promotion: Li et al.,
"Hyper-Tune: Towards Efficient Hyper-parameter Tuning at Scale", VLDB 2022, section 4.3). The algorithm's own
rule adds one with each newcomer that is better, and a sampler that learns draws better ones most of the
time: two in three went on although only one was meant to.

If the way from the last rung to the end is shorter than ``eta`` times, more go on from it: so many
that this stretch costs as much as each one before. With the algorithm's own number of steps nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import Problem
from tuner.schedulers.base import Promotion, Scheduler
from tuner.schedulers.rungs import FrontRung, Rung, check_halving, halving_steps, make_rungs, rung_of


class AshaScheduler(Scheduler):
    """Pause trials at rungs and promote the best; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        eta: One of ``eta`` trials is promoted from a rung, and trains ``eta`` times longer.
        min_steps: The first rung in global steps, or None for the first evaluation.
        rank: ``first`` or ``nondominated``: how trials with several objectives are compared.
    """

    uses_rungs = True
    goes_with_repeats = False

    @classmethod
    def check(cls, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
        yield from super().check(options, train)
        yield from check_halving(options, train)

    def __init__(self, train: TrainSettings, eta: int = 3, min_steps: int | None = None, rank: str = "first") -> None:
        self._rungs, self._every = make_rungs(train, eta, min_steps, rank), train.bounds()[0]
        self._paused: dict[int, int] = {}  # trial to the global step at which it waits
        # By the step of the rung: a heap of losses and trials.
        self._queues: dict[int, list[tuple[float, int]]] = {rung.step: [] for rung in self._rungs}
        self._at: dict[int, int] = {}  # trial to the last rung that it came to
        self._last: dict[int, int] = {}  # trial to its last evaluation
        self._running: set[int] = set()
        self._completed = False

    def next_stop(self, trial: int, step: int) -> int | None:
        self._paused.pop(trial, None)
        self._running.add(trial)
        self._go_on(trial, step)
        return next((rung.step for rung in self._rungs if rung.step > step and trial not in rung), None)

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        self._last[trial] = max(step, self._last.get(trial, 0))
        rung = rung_of(self._rungs, step, self._every)
        if rung is None or not rung.add(trial, step, losses):
            return Decision.CONTINUE
        self._at[trial] = max(rung.step, self._at.get(trial, 0))
        return Decision.PAUSE

    def on_finished(self, trial: int, state: TrialState) -> None:
        self._paused.pop(trial, None)
        if state.is_finished or state is TrialState.PAUSED:
            self._running.discard(trial)
        self._completed = self._completed or state is TrialState.COMPLETE
        if state is TrialState.FAIL:  # whether it failed before its next rung, a later driver cannot tell
            self._go_on(trial, self._last.get(trial, 0))
        if state is TrialState.PRUNED:  # by hand, or never promoted: a later driver cannot tell that either
            for rung in self._rungs:
                if rung.came_at(trial) == self._last.get(trial):
                    rung.stay(trial)
        if state is TrialState.PAUSED and trial in self._at:
            self._paused[trial] = self._at[trial]
            rung = next(rung for rung in self._rungs if rung.step == self._at[trial])
            heappush(self._queues[rung.step], (rung.loss(trial), trial))

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        for step, losses in curve.items():
            self.report(trial, step, losses)
        self._go_on(trial, max(curve, default=0) - 1)
        self.on_finished(trial, state)

    def _go_on(self, trial: int, step: int) -> None:
        """Note that a trial goes on from the rungs to which its evaluations up to a global step brought it."""
        for rung in self._rungs:
            if (came_at := rung.came_at(trial)) is not None and came_at <= step:
                rung.go_on(trial)

    def next_resume(self, may_begin: bool) -> Promotion | None:
        for rung in reversed(self._rungs):
            best = self._best_paused(rung)
            if best is not None and rung.promotes(best):
                return Promotion(best, f"among the best at step {rung.step}")
        if may_begin or self._running or self._completed or not self._paused:
            return None
        highest = max(self._paused.values())
        last = self._best_paused(next(rung for rung in self._rungs if rung.step == highest))
        return Promotion(last, "the best, and no new trial may begin") if last is not None else None

    def planned_steps(self, trials: int) -> int | None:
        if not self._rungs:
            return None
        return halving_steps([*(rung.step for rung in self._rungs), self._rungs[-1].next_step], trials)

    def _best_paused(self, rung: Rung) -> int | None:
        """Return the best of the trials that wait at a rung, or None."""
        if isinstance(rung, FrontRung):
            return next((trial for trial in rung.ranked() if self._paused.get(trial) == rung.step), None)
        queue = self._queues[rung.step]
        while queue and self._paused.get(queue[0][1]) != rung.step:
            heappop(queue)
        return queue[0][1] if queue else None
