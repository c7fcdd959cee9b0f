"""Asynchronous successive halving that stops trials.

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (arXiv 1810.05934), in
its stopping variant: at each rung a trial goes on if it is among the best one in ``eta`` of those that
have come there so far, the first one always, and is stopped otherwise. From the last rung more go on
if the end is near, as of ``asha``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import Problem
from tuner.schedulers.base import Scheduler
from tuner.schedulers.rungs import check_halving, make_rungs, rung_of


class StoppingAshaScheduler(Scheduler):
    """Stop trials at rungs; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        eta: One of ``eta`` trials goes on from a rung, and trains ``eta`` times longer.
        min_steps: The first rung in global steps, or None for the first evaluation.
        rank: ``first`` or ``nondominated``: how trials with several objectives are compared.
    """

    uses_rungs = True

    @classmethod
    def check(cls, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
        yield from super().check(options, train)
        yield from check_halving(options, train)

    def __init__(self, train: TrainSettings, eta: int = 3, min_steps: int | None = None, rank: str = "first") -> None:
        self._rungs, self._every = make_rungs(train, eta, min_steps, rank), train.bounds()[0]

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        rung = rung_of(self._rungs, step, self._every)
        if rung is None or not rung.add(trial, step, losses):
            return Decision.CONTINUE
        return Decision.CONTINUE if rung.keeps(trial) else Decision.STOP

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        del state  # a trial that goes on counts where it has been, too
        for step, losses in curve.items():
            self.report(trial, step, losses)
