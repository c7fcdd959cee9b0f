"""The median stopping rule.

Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, section 3.1, in the
form that Optuna's MedianPruner gave it: the percentile rule (see ``percentile``) with half of the trials.
"""

from __future__ import annotations

from tuner.schedulers.percentile import PercentileScheduler


class MedianScheduler(PercentileScheduler):
    """Stop a trial that is worse than the median of the completed ones; see ``Scheduler``.

    Args:
        startup_trials: Completed trials before any is stopped.
        warmup_steps: Global steps before which no trial is stopped.
        interval_steps: Global steps from one judgement of a trial to the next, at least 1.
        rank: ``first`` or ``nondominated``, see ``PercentileScheduler``.
    """

    def __init__(
        self, startup_trials: int = 5, warmup_steps: int = 0, interval_steps: int = 1, rank: str = "first"
    ) -> None:
        super().__init__(startup_trials, warmup_steps, interval_steps, percentile=50.0, rank=rank)
