"""What trials that did not train to their end would have come to, so that samplers can rank all trials alike.

Optuna's TPE ranks every complete trial above any pruned one, and pruned ones by their step before their value:
it takes how long a scheduler let a trial train for how good its parameters are. Here each trial has
one value: its last one, and what those that went on changed from there, step by step, in the median.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tuner.domain.objective import Objective


class Extrapolation:
    """Extrapolate the curves of a sweep to its last step.

    Trials are seen again as they grow; what was seen of a step stands.

    Args:
        objective: What the curves are of, and what counts of them.
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._shown: dict[int, dict[int, float]] = {}  # trial to step to the objective as it stood there
        self._changes: dict[tuple[int, int], list[float]] = {}  # from one step to the next, ascending
        self._steps: list[int] = []
        self._ahead: dict[int, float] = {}  # step to the change from there to the last step; empty if it is stale

    def see(self, trial: int, curve: Mapping[int, float]) -> None:
        """Take a trial's evaluations: global step to value."""
        shown = self._shown.setdefault(trial, {})
        if len(shown) == len(curve):
            return
        self._ahead = {}
        steps = sorted(curve)
        for index in range(len(shown), len(steps)):
            value = self._objective.of.value([curve[step] for step in steps[: index + 1]], self._objective.goal)
            shown[steps[index]] = value
            self._note(steps[index])
            if index and math.isfinite(change := value - shown[steps[index - 1]]):
                insort(self._changes.setdefault((steps[index - 1], steps[index]), []), change)

    def value(self, trial: int) -> float | None:
        """Return what a trial that was seen comes to at the last step of any; None if that is no number."""
        shown = self._shown.get(trial)
        if not shown:
            return None
        step, value = next(reversed(shown.items()))
        value += self._change_ahead(step)
        return value if math.isfinite(value) else None

    def _change_ahead(self, step: int) -> float:
        """Return what those that went on from a step changed up to the last one."""
        if not self._ahead:
            total = 0.0
            self._ahead[self._steps[-1]] = total
            for begin, end in reversed(list(pairwise(self._steps))):
                changes = self._changes.get((begin, end))
                total += _median(changes) if changes else 0.0
                self._ahead[begin] = total
        return self._ahead[step]

    def _note(self, step: int) -> None:
        index = bisect_left(self._steps, step)
        if index == len(self._steps) or self._steps[index] != step:
            self._steps.insert(index, step)


def _median(ascending: Sequence[float]) -> float:
    middle = len(ascending) // 2
    return ascending[middle] if len(ascending) % 2 else (ascending[middle - 1] + ascending[middle]) / 2
