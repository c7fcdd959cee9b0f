"""What trials that did not train to their end would have come to, so that samplers can rank all trials alike.

Optuna's TPE ranks every complete trial above any pruned one, and pruned ones by their step before their value:
it takes how long a scheduler let a trial train for how good its parameters are. Here each trial has
one value: its last one, and what those that went on changed from there, step by step, in the median.
"""

from __future__ import annotations

import math
from bisect import insort
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
        self._changes: dict[tuple[int, int], list[float]] = {}  # from one step to the next
        self._steps: list[int] = []  # ascending
        self._noted: set[int] = set()
        self._ahead: dict[int, float] = {}  # step to the change from there to the last step; empty if it is stale

    def see(self, trial: int, curve: Mapping[int, float]) -> None:
        """Take a trial's evaluations: global step to value."""
        shown = self._shown.get(trial)
        if shown is None:
            shown = self._shown[trial] = {}
        if len(shown) == len(curve):
            return
        self._ahead = {}
        of, goal, steps = self._objective.of, self._objective.goal, sorted(curve)
        values = [curve[step] for step in steps]
        for index in range(len(shown), len(steps)):
            value = values[index] if of.rule == "last" else of.value(values[: index + 1], goal)
            shown[steps[index]] = value
            self._note(steps[index])
            if index and math.isfinite(change := value - shown[steps[index - 1]]):
                self._changes.setdefault((steps[index - 1], steps[index]), []).append(change)

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
                if changes:
                    changes.sort()  # all but those that have come since are in order
                    total += _median(changes)
                self._ahead[begin] = total
        return self._ahead[step]

    def _note(self, step: int) -> None:
        if step not in self._noted:
            self._noted.add(step)
            insort(self._steps, step)


def _median(ascending: Sequence[float]) -> float:
    middle = len(ascending) // 2
    return ascending[middle] if len(ascending) % 2 else (ascending[middle - 1] + ascending[middle]) / 2
