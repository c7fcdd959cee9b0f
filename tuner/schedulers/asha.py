"""Asynchronous successive halving with promotion (ASHA).

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (arXiv 1810.05934),
algorithm 2: a trial pauses at each rung; a worker that is free takes the best trial that is among the
best one in ``eta`` of a rung and was not promoted from it, from the highest rung down, and where there
is none, a new trial. The algorithm draws trials without end; a sweep does not, so when its last trial
was drawn and none could be promoted to the end, the best one of the highest rung is.

Where the way from the last rung to the end is shorter than ``eta`` times, more go on from it: as many as
cost together what those before them cost. With the algorithm's own number of steps nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from tuner.schedulers._base import Promotion, Scheduler
from tuner.schedulers.rungs import FrontRung, Rung, make_rungs
from tuner.spec import TrainSettings
from tuner.values import TrialState, Verdict


class AshaScheduler(Scheduler):
    """Pause trials at rungs and promote the best; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        eta: One in so many is promoted from a rung, and trains so many times longer.
        min_steps: The first rung in global steps, or None for the first evaluation.
        rank: ``first`` or ``nondominated``: how trials with several objectives are compared.
    """

    def __init__(self, train: TrainSettings, eta: int = 3, min_steps: int | None = None, rank: str = "first") -> None:
        self._rungs = make_rungs(train, eta, min_steps, rank)
        self._paused: dict[int, int] = {}  # trial to the global step at which it waits
        self._queues: dict[int, list[tuple[float, int]]] = {rung.step: [] for rung in self._rungs}  # heaps of these
        self._at: dict[int, int] = {}  # trial to the last rung that it came to
        self._running: set[int] = set()
        self._completed = False

    def next_stop(self, trial: int, step: int) -> int | None:
        self._paused.pop(trial, None)
        self._running.add(trial)
        return next((rung.step for rung in self._rungs if rung.step > step), None)

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Verdict:
        for rung in self._rungs:
            if rung.step == step:
                rung.take(trial, losses)
                self._at[trial] = max(step, self._at.get(trial, 0))
                return Verdict.PAUSE
        return Verdict.GO_ON

    def settle(self, trial: int, state: TrialState) -> None:
        self._paused.pop(trial, None)
        if state.settled or state is TrialState.PAUSED:
            self._running.discard(trial)
        self._completed = self._completed or state is TrialState.COMPLETE
        if state is TrialState.PAUSED and trial in self._at:
            self._paused[trial] = self._at[trial]
            rung = next(rung for rung in self._rungs if rung.step == self._at[trial])
            heappush(self._queues[rung.step], (rung.loss(trial), trial))

    def recall(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        for step, losses in curve.items():
            self.report(trial, step, losses)
        self.settle(trial, state)

    def advance(self, may_begin: bool) -> Promotion | None:
        for rung in reversed(self._rungs):
            best = self._best_paused(rung)
            if best is not None and rung.promotes(best):
                return Promotion(best)
        if may_begin or self._running or self._completed or not self._paused:
            return None
        highest = max(self._paused.values())
        last = self._best_paused(next(rung for rung in self._rungs if rung.step == highest))
        return Promotion(last) if last is not None else None

    def _best_paused(self, rung: Rung) -> int | None:
        """Return the best of the trials that wait at a rung, or None."""
        if isinstance(rung, FrontRung):
            return next((trial for trial in rung.ranked() if self._paused.get(trial) == rung.step), None)
        queue = self._queues[rung.step]
        while queue and self._paused.get(queue[0][1]) != rung.step:
            heappop(queue)
        return queue[0][1] if queue else None
