"""Which of several is best: of a curve's steps, and of trials with several objectives.

NaN loses against every number, and a trial that has one is on no front; so does an infinite objective, whose loss
is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuner.domain.objective import Constraint, Goal, comparable


def ranked_steps(
    curve: Mapping[int, float],
    goal: Goal,
    constraints: Sequence[Constraint] = (),
    curves: Mapping[str, Mapping[int, float]] | None = None,
) -> list[int]:
    """Return the steps of a curve, the best evaluation first, of equals the first of them.

    What breaks a constraint at its step comes behind all that is not known to.

    Args:
        curve: Global step to the objective.
        goal: Which way it improves.
        constraints: Bounds on other metrics.
        curves: The curve of each of their metrics.
    """

    def breaks(step: int) -> bool:
        held = [(c, (curves or {}).get(c.metric, {})) for c in constraints]
        return any(step in values and c.violation(values[step]) > 0 for c, values in held)

    return sorted(curve, key=lambda step: (breaks(step), comparable([goal.loss(curve[step])]), step))


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether ``one`` is nowhere worse than ``other`` and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def nondominated(losses: Mapping[int, Sequence[float]]) -> list[int]:
    """Return the trials, in order, that no other one dominates.

    Args:
        losses: Trial to its losses, one for each objective.
    """
    sound = {trial: own for trial, own in losses.items() if not any(map(math.isnan, own))}
    return sorted(t for t, own in sound.items() if not any(dominates(other, own) for other in sound.values()))


RANKS = ("first", "nondominated")


def fronts(losses: Mapping[int, Sequence[float]]) -> list[list[int]]:
    """Return the trials in fronts: of each, no one is dominated by one of it or of a later front."""
    worse: dict[int, list[int]] = {trial: [] for trial in losses}
    above = dict.fromkeys(losses, 0)
    trials = list(losses)
    for place, one in enumerate(trials):
        for other in trials[place + 1 :]:
            for better, worst in ((one, other), (other, one)):
                if dominates(losses[better], losses[worst]):
                    worse[better].append(worst)
                    above[worst] += 1
    found = []
    front = [trial for trial in trials if not above[trial]]
    while front:
        found.append(sorted(front))
        following = []
        for trial in front:
            for other in worse[trial]:
                above[other] -= 1
                if not above[other]:
                    following.append(other)
        front = following
    return found


def order(losses: Mapping[int, Sequence[float]], rank: str = "first") -> list[int]:
    """Return trials, best first; of equals the older one first.

    Args:
        losses: Trial to its losses, one for each objective, without NaN.
        rank: ``first`` or ``nondominated``.
    """
    if rank == "first" or all(len(values) == 1 for values in losses.values()):
        return sorted(losses, key=lambda trial: (losses[trial][0], trial))
    found: list[int] = []
    for front in fronts(losses):
        alone = _crowding({trial: losses[trial] for trial in front})
        found += sorted(front, key=lambda trial: (-alone[trial], trial))
    return found


def places(losses: Mapping[int, Sequence[float]]) -> dict[int, int]:
    """Return the number of the front of each trial, from 0."""
    return {trial: number for number, front in enumerate(fronts(losses)) for trial in front}


def _crowding(losses: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """Return how far from its neighbours each trial of a front stands; those at the ends infinitely far."""
    alone = dict.fromkeys(losses, 0.0)
    for objective in range(len(next(iter(losses.values())))):
        along = sorted(losses, key=lambda trial: (losses[trial][objective], trial))
        low, high = losses[along[0]][objective], losses[along[-1]][objective]
        alone[along[0]] = alone[along[-1]] = math.inf
        if high > low and math.isfinite(high - low):
            for before, trial, after in zip(along, along[1:], along[2:], strict=False):
                alone[trial] += (losses[after][objective] - losses[before][objective]) / (high - low)
    return alone
