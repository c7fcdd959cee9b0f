"""Stop trials that fall behind a percentile of the completed ones.

Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, section 3.1, in the
form that Optuna's PercentilePruner gave it: a trial stops at a step if its best evaluation so far is
worse than that percentile of what the completed trials had at that step (or last, if none was evaluated there).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Sequence

from tuner.domain.objective import comparable
from tuner.domain.pareto import places
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers.base import Scheduler


class PercentileScheduler(Scheduler):
    """Stop a trial that is worse than a percentile of the completed ones; see ``Scheduler``.

    Args:
        startup_trials: Completed trials before any is stopped.
        warmup_steps: Global steps before which no trial is stopped.
        interval_steps: Global steps from one judgement of a trial to the next, at least 1.
        percentile: The share of completed trials, in percent, that a trial must keep up with: 50 is
            the median; less stops more trials.
        rank: ``first``, or ``nondominated``: with several objectives a trial's front among the completed
            trials at that step is compared, as it is there.
    """

    def __init__(
        self,
        startup_trials: int = 5,
        warmup_steps: int = 0,
        interval_steps: int = 1,
        percentile: float = 25.0,
        rank: str = "first",
    ) -> None:
        self._startup_trials = startup_trials
        self._warmup_steps = warmup_steps
        self._interval_steps = interval_steps
        self._percentile = percentile
        self._rank = rank
        self._vectors: dict[int, list[tuple[float, ...]]] = {}  # losses of completed trials by step
        self._shown: dict[int, dict[int, tuple[float, ...]]] = {}  # of trials that are not finished
        self._completed = 0
        self._at_step: dict[int, list[float]] = {}  # losses of completed trials, ascending
        self._done: list[tuple[list[int], list[float]]] = []  # steps and losses of completed trials
        self._curves: dict[int, dict[int, float]] = {}  # of trials that are not finished
        self._seen: dict[int, int] = {}  # the interval of a trial's last evaluation; its first one there is judged

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        curve = self._curves.setdefault(trial, {})
        curve[step] = losses[0]
        self._shown.setdefault(trial, {})[step] = comparable(losses)
        interval = (step - self._warmup_steps) // self._interval_steps
        is_first = self._seen.get(trial) != interval
        self._seen[trial] = interval
        if self._completed < max(1, self._startup_trials) or step < self._warmup_steps or not is_first:
            return Decision.CONTINUE
        if self._rank != "first":
            return self._by_front(comparable(losses), step)
        numbers = [loss for loss in curve.values() if not math.isnan(loss)]
        if not numbers:
            return Decision.STOP
        bar = _percentile(self._completed_at(step), self._percentile)
        return Decision.STOP if bar is not None and min(numbers) > bar else Decision.CONTINUE

    def _completed_at(self, step: int) -> list[float]:
        """Return the losses of completed trials at a step, ascending.

        If none was evaluated there (steps may depend on a parameter, on the batch size say), those that each had last.
        """
        if step in self._at_step:
            return self._at_step[step]
        before = [bisect_right(steps, step) for steps, _ in self._done]
        return sorted(losses[count - 1] for count, (_, losses) in zip(before, self._done, strict=True) if count)

    def _by_front(self, losses: tuple[float, ...], step: int) -> Decision:
        """Compare the front of a trial with the fronts of those that completed, all at one step."""
        there = self._vectors.get(step, [])
        place = places({-1: losses, **dict(enumerate(there))})
        own = place.pop(-1)
        bar = _percentile(sorted(place.values()), self._percentile)
        return Decision.STOP if bar is not None and own > bar else Decision.CONTINUE

    def on_finished(self, trial: int, state: TrialState) -> None:
        if not state.is_finished:
            return
        curve, shown = self._curves.pop(trial, {}), self._shown.pop(trial, {})
        self._seen.pop(trial, None)
        if state is TrialState.COMPLETE:
            self._completed += 1
            if self._rank != "first":
                for step, losses in shown.items():
                    self._vectors.setdefault(step, []).append(losses)
            known = {step: loss for step, loss in sorted(curve.items()) if not math.isnan(loss)}
            self._done.append((list(known), list(known.values())))
            for step, loss in known.items():
                insort(self._at_step.setdefault(step, []), loss)


def _percentile(ascending: Sequence[float], percent: float) -> float | None:
    """Return the percentile of sorted numbers, linear between neighbours; None if there are none."""
    if not ascending:
        return None
    position = (len(ascending) - 1) * percent / 100
    below = math.floor(position)
    low, high = ascending[below], ascending[min(below + 1, len(ascending) - 1)]
    return low if low == high else low + (high - low) * (position - below)
