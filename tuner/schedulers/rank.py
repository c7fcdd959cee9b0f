"""Several objectives as one order: by the first, or by non-dominated rank.

Non-dominated sorting after Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
2002; as the order of successive halving in Schmucker et al., "Multi-objective Asynchronous Successive
Halving", 2021 (arXiv 2106.12639). Among trials of one rank the one that stands more alone is better
(crowding distance), as in both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuner.ranking import dominates

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
