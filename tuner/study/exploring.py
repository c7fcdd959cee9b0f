"""What a sampler that learns does if a scheduler sets nearly all trials aside early.

What is good at early evaluations need not be good at the end, and a sampler that goes on from it never sees anything
else, nor does the scheduler: each rung fills with it. So every second draw is left to chance, and those that came
farthest alone are learned from, as in BOHB (Falkner et al. 2018, arXiv 1807.01774).
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tuner.study.frozen_trial import ATTRIBUTE

FEWEST = 10  # trials to learn from; tpe draws at random before it has as many
_EARLY_SHARE = 0.8


def is_explored(number: int, trials: Sequence[FrozenTrial], complete: int = 0) -> bool:
    """Whether a trial's parameters are drawn at random.

    It depends on what the study holds alone, so that a restarted driver draws the same.

    Args:
        number: Of the trial.
        trials: Of the study.
        complete: How many complete trials of other sweeps are known beside.
    """
    return number % 2 == 1 and end_early(trials, complete)


def end_early(trials: Sequence[FrozenTrial], complete: int = 0) -> bool:
    """Whether more than four in five of the trials that do not run any more ended early, paused or pruned."""
    ended = [trial for trial in trials if _has_ended(trial) or is_paused(trial)]
    early = sum(trial.state is not TrialState.COMPLETE for trial in ended)
    return early > _EARLY_SHARE * (len(ended) + complete)


def farthest(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return trials without those that ended at an earlier step than the ``FEWEST`` that came farthest."""
    steps = sorted((_last_step(trial) for trial in trials if _has_ended(trial)), reverse=True)
    least = steps[FEWEST - 1] if len(steps) >= FEWEST else 0
    return [trial for trial in trials if not _has_ended(trial) or _last_step(trial) >= least]


def is_paused(trial: FrozenTrial) -> bool:
    """Whether a trial waits at a rung; to Optuna it is RUNNING."""
    return trial.state is TrialState.RUNNING and trial.user_attrs.get(ATTRIBUTE, {}).get("state") == "PAUSED"


def _has_ended(trial: FrozenTrial) -> bool:
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def _last_step(trial: FrozenTrial) -> int:
    return max(trial.intermediate_values, default=0)
