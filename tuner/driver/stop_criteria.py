"""When a sweep ends: its trials, its time, its failures, its other budgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuner.domain.objective import Goal
from tuner.domain.spec import SearchSettings
from tuner.domain.trial import TrialState
from tuner.text import counted

GRID = ", all points of the grid"  # how the reason ends of a sweep of fewer trials than were asked for


@dataclass(frozen=True)
class StopReason:
    """Why a sweep ends.

    Attributes:
        reason: In one line.
        failed: Whether a failure limit struck (exit status 1).
        at_once: Whether trials that run are stopped rather than waited for, and paused ones stay paused: they go on
            when the sweep does, with larger limits.
        limit: The option or the key of the file that continues it if larger; "" if that is not known.
    """

    reason: str
    failed: bool = False
    at_once: bool = True
    limit: str = ""

    @property
    def more(self) -> str:
        """What continues the sweep."""
        if not self.limit:
            return "larger limits continue it"
        where = "" if self.limit.startswith("--") else " in its file"
        return f"a larger {self.limit}{where} continues it"


def trials_used_up(begun: int, total: int, trials: int) -> StopReason:
    """Return the end of a sweep that has no trial left to begin.

    Args:
        begun: How many were begun.
        total: How many there may be.
        trials: How many were asked for; a grid may have fewer points.
    """
    if begun > trials:  # fewer were asked for than it had
        asked = f"{trials} {'was' if trials == 1 else 'were'} asked for"
        return StopReason(f"{counted(begun, 'trial')}, and {asked}", limit="--trials")
    if begun < trials and begun == total:
        return StopReason(f"{begun} of {trials} trials{GRID}")
    return StopReason(f"{begun} of {trials} trials", limit="--trials")


def meets_target(value: float, target: float | None, goal: Goal) -> bool:
    """Whether a first objective is at least as good as the target of a sweep's budget, if it has one."""
    return target is not None and goal.loss(value) <= goal.loss(target)


class StopCriteria:
    """Count what finished trials spend of the sweep's limits.

    Args:
        search: The limits.
        goal: Of the first objective.
    """

    def __init__(self, search: SearchSettings, goal: Goal) -> None:
        self._search = search
        self._goal = goal
        self._failed = 0
        self._failed_in_a_row = 0
        self._last_reason = ""
        self._best: float | None = None
        self._since_best = 0
        self._finished = 0

    def count_finished(self, state: TrialState, reason: str, value: float | None, decides_set: bool = True) -> None:
        """Count a trial that will not run again.

        Args:
            state: COMPLETE, PRUNED or FAIL.
            reason: Of its failure.
            value: Its first objective, or None; the mean of its set of parameters if that has several.
            decides_set: Whether what becomes of its set of parameters is decided by it.
        """
        self._finished += decides_set
        if state is TrialState.FAIL:
            self._failed += 1
            self._failed_in_a_row += 1
            self._last_reason = reason
        else:
            self._failed_in_a_row = 0
        if state is TrialState.COMPLETE and value is not None and self._improves(value):
            self._best, self._since_best = value, 0
        elif decides_set:
            self._since_best += 1

    def reached(self, elapsed_s: float, steps: int = 0, latest: Sequence[float] = ()) -> StopReason | None:
        """Return why the sweep ends now, or None.

        Args:
            elapsed_s: Running time of the sweep over all calls, in seconds.
            steps: Global steps trained by all trials over all calls, overshoot included.
            latest: First objectives that trials show now.
        """
        search, budget = self._search, self._search.budget
        if search.max_failed_trials is not None and self._failed > search.max_failed_trials:
            return StopReason(
                f"{counted(self._failed, 'trial')} failed (max_failed_trials: {search.max_failed_trials})",
                failed=True,
                limit="search.max_failed_trials",
            )
        if self._failed_in_a_row >= search.max_consecutive_failures:
            return StopReason(
                f"{counted(self._failed_in_a_row, 'trial')} failed one after another, the last: {self._last_reason}"
                if self._failed_in_a_row > 1
                else f"1 trial failed (max_consecutive_failures: 1): {self._last_reason}",
                failed=True,
                limit="search.max_consecutive_failures",
            )
        if search.timeout_s is not None and elapsed_s >= search.timeout_s:
            return StopReason(f"the sweep's time of {search.timeout_s:g} s is over", limit="--timeout")
        if budget.steps is not None and steps >= budget.steps:
            return StopReason(f"the budget of {budget.steps} steps is spent", limit="search.budget.steps")
        if budget.target is not None:
            seen = [value for value in (*latest, self._best) if value is not None]
            if any(meets_target(value, budget.target, self._goal) for value in seen):
                return StopReason(f"the target of {budget.target:g} was reached")
        if budget.plateau is not None and self._finished and self._since_best >= budget.plateau:
            what = "trial" if search.repeats == 1 else "set of parameters"
            reason = f"no better {what} among the last {budget.plateau}"
            return StopReason(reason, at_once=False, limit="search.budget.plateau")
        return None

    def _improves(self, value: float) -> bool:
        return math.isfinite(value) and (self._best is None or self._goal.loss(value) < self._goal.loss(self._best))
