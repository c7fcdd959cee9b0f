"""Which of very many trials a sampler learns from, so that a draw costs no more behind 10,000 than behind 2,000.

Tree-structured Parzen estimators weigh each trial against the 25 best, at a cost in proportion to their number. Of the
others an even choice has the same density, and no more of them is seen in what is drawn: see docs/scale.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import attrgetter

from optuna.trial import FrozenTrial, TrialState

from tuner.domain.objective import Goal

MOST = 2_000
_BEST = 500
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def learning_set(trials: Sequence[FrozenTrial], goal: Goal, beyond: Mapping[int, float]) -> list[FrozenTrial]:
    """Return of more than ``MOST`` finished trials the best and an even choice of the others, and all that run.

    Args:
        trials: As the sampler sees them.
        goal: Of the one objective.
        beyond: By how much trials break constraints, by number; those that break none may be left out.
    """
    finished = [trial for trial in trials if trial.state in _FINISHED]
    if len(finished) <= MOST:
        return list(trials)

    losses = [_loss(trial, goal) for trial in finished]
    order: list[int] = sorted(range(len(finished)), key=losses.__getitem__)
    if beyond:
        order.sort(key=lambda index: beyond.get(finished[index].number, 0.0))
    others = sorted([finished[index] for index in order[_BEST:]], key=attrgetter("number"))
    count = MOST - _BEST
    left_out = set(map(id, others)).difference(id(others[-1 - n * len(others) // count]) for n in range(count))
    return [trial for trial in trials if id(trial) not in left_out]


def _loss(trial: FrozenTrial, goal: Goal) -> float:
    values = trial.values if trial.state is TrialState.COMPLETE else None
    return math.inf if values is None else goal.loss(values[0])
