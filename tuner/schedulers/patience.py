"""Stop a trial that has not improved for a while.

Prechelt, "Early Stopping - But When?", 1998, the criterion UP on the evaluation metric: a trial stops
after ``patience`` evaluations in a row of which none was better than its best by ``min_delta``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuner.domain.objective import comparable
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers.base import Scheduler


@dataclass
class _History:
    """What a trial has shown."""

    best: float = math.inf
    shown: list[tuple[float, ...]] = field(default_factory=list)
    worse: int = 0
    seen: set[int] = field(default_factory=set)


class PatienceScheduler(Scheduler):
    """Stop a trial whose evaluations no longer improve; see ``Scheduler``.

    Args:
        patience: A trial stops at this evaluation in a row without an improvement.
        min_delta: By how much an evaluation must be better than the best before it, in units of the
            objective.
        rank: ``first``, or ``nondominated``: an evaluation of several objectives is an improvement if
            none before it was at least as good in all of them.
    """

    def __init__(self, patience: int = 5, min_delta: float = 0.0, rank: str = "first") -> None:
        self._rank = rank
        self._patience = patience
        self._min_delta = min_delta
        self._histories: dict[int, _History] = {}

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        history = self._histories.setdefault(trial, _History())
        if step not in history.seen:
            history.seen.add(step)
            if self._improves(history, losses):
                history.best, history.worse = min(history.best, losses[0]), 0
            else:
                history.worse += 1
        return Decision.STOP if history.worse >= self._patience else Decision.CONTINUE

    def _improves(self, history: _History, losses: Sequence[float]) -> bool:
        if self._rank == "first":
            return losses[0] < history.best - self._min_delta or math.isinf(history.best)
        now = comparable(losses)
        worse = any(
            all(old <= new + self._min_delta for old, new in zip(shown, now, strict=True)) for shown in history.shown
        )
        history.shown.append(now)
        return not worse

    def on_finished(self, trial: int, state: TrialState) -> None:
        if state.is_finished:
            self._histories.pop(trial, None)
