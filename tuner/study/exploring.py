"""When a sampler that learns leaves every second draw to chance.

A scheduler that sets nearly all trials aside early shows a sampler little but early evaluations. What is good there
need not be good at the end, and a sampler that goes on from it never sees anything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.study.frozen_trial import ATTRIBUTE

_EARLY_SHARE = 0.8


def is_explored(number: int, trials: Sequence[FrozenTrial], complete: int = 0) -> bool:
    """Whether a trial's parameters are drawn at random.

    It depends on what the study holds alone, so that a restarted driver draws the same.

    Args:
        number: Of the trial.
        trials: Of the study.
        complete: How many complete trials of other sweeps are known beside.
    """
    if number % 2 == 0:
        return False
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or is_paused(trial)]
    early = sum(trial.state is not TrialState.COMPLETE for trial in ended)
    return early > _EARLY_SHARE * (len(ended) + complete)


def is_paused(trial: FrozenTrial) -> bool:
    """Whether a trial waits at a rung; to Optuna it is RUNNING."""
    return trial.state is TrialState.RUNNING and trial.user_attrs.get(ATTRIBUTE, {}).get("state") == "PAUSED"
