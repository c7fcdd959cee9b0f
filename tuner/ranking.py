"""Which of several is best: of a curve's steps, and of trials with several objectives.

NaN loses against every number, and a trial that has one is on no front.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuner.values import Goal


def comparable(losses: Sequence[float]) -> tuple[float, ...]:
    """Return losses in which NaN loses against every number."""
    return tuple(math.inf if math.isnan(loss) else loss for loss in losses)


def ranked_steps(curve: Mapping[int, float], goal: Goal) -> list[int]:
    """Return the steps of a curve, the best evaluation first, of equals the first of them."""
    return sorted(curve, key=lambda step: (comparable([goal.loss(curve[step])]), step))


def best_step(curve: Mapping[int, float], goal: Goal) -> int | None:
    """Return the step of the best evaluation, the first of equals; None where there is none."""
    return next(iter(ranked_steps(curve, goal)), None)


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
