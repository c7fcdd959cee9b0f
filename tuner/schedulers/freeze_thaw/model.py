"""What trials have shown at the highest rung that enough have come to, and the improvement expected of others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.gaussian_process import GaussianProcess, Observations

Array = Any

ENOUGH = 15  # trials with a value at a rung, for it to be the one that is modelled
MOST = 250  # values that the model sees


@dataclass
class Trial:
    """A trial as the search knows it.

    Attributes:
        point: Of its parameters, in the cube.
        curve: Number of the evaluation, from 1, to the loss.
        running: Whether a worker has it.
        waiting: Whether it is paused.
        failed: Whether it came to nothing at the end of its curve.
    """

    point: Array
    features: Array
    curve: dict[int, float] = field(default_factory=dict)
    running: bool = False
    waiting: bool = False
    failed: bool = False

    @property
    def last(self) -> int:
        """Number of its last evaluation; 0 before the first."""
        return max(self.curve, default=0)


class RungModel:
    """The process of the values at one rung, and what improvement on the best of them it expects.

    Values are replaced by what their ranks would be in a normal distribution: how far the worst are from the
    others says nothing about where the best is, nor does the scale on which the user measures.

    Args:
        cube: Of the parameters.
        trials: By number.
        rungs: Numbers of the evaluations among which the rung is chosen, the end of a full training being one.
        running: Trials that will go on: a value that is not known of one will be.

    Attributes:
        rung: The chosen one: the highest that ``ENOUGH`` trials have a value of, or else the one that most have.
        count: Values that the model knows of.
        seen: What the process is given.
    """

    def __init__(self, cube: Cube, trials: Mapping[int, Trial], rungs: Iterable[int], running: Iterable[int]) -> None:
        shown = {rung: sum(rung in trial.curve for trial in trials.values()) for rung in rungs}
        self.rung = max(shown, key=lambda rung: (min(shown[rung], ENOUGH), rung))
        losses = {number: _loss(trial, self.rung) for number, trial in trials.items()}
        known = {number: loss for number, loss in losses.items() if loss is not None}
        self.count = len(known)
        self.numbers = _thinned(known)
        self._losses = np.array([known[number] for number in self.numbers])
        values = _normal_scores(self._losses)
        self._running = [trials[number].features for number in sorted(running) if number not in known]
        self.seen = Observations(np.stack([trials[number].features for number in self.numbers]), cube.groups, values)

    def condition(self, theta: Array) -> None:
        """Take hyperparameters, and that trials which run will show a value at the rung."""
        self._process = GaussianProcess(theta, self.seen)
        if self._running:
            self._process.expect(np.stack(self._running))

    def best(self, count: int) -> list[int]:
        """Return the numbers of the trials that are best by what is expected of their parameters."""
        mean, _ = self._process.predict(self.seen.features)
        return [self.numbers[row] for row in np.argsort(mean, kind="stable")[:count]]

    def improvement(self, features: Array) -> Array:
        """Return the logarithm of the expected improvement on the best value at the rung."""
        mean, spread = self._process.predict(features)
        return _log_improvement((self.seen.values.min() - mean) / spread) + np.log(spread)

    def expected(self, features: Array) -> float:
        """Return the loss that is expected of a trial at the rung."""
        mean, _ = self._process.predict(features[None])
        order = np.argsort(self.seen.values, kind="stable")
        order = order[np.isfinite(self._losses[order])]
        return float(np.interp(mean[0], self.seen.values[order], self._losses[order])) if len(order) else math.nan


def _loss(trial: Trial, rung: int) -> float | None:
    """Return the loss of a trial at a rung, the worst if it failed before, or None if it is not known."""
    if rung in trial.curve:
        return comparable(trial.curve[rung])
    return math.inf if trial.failed else None


def _thinned(losses: Mapping[int, float]) -> list[int]:
    """Return the trials that the model sees: of too many the best half, and an even choice of the others."""
    order = sorted(losses, key=lambda number: (losses[number], number))
    half = MOST // 2
    if len(order) > MOST:
        order = order[:half] + [order[i] for i in np.linspace(half, len(order) - 1, MOST - half).astype(int)]
    return sorted(order)


def _normal_scores(losses: Array) -> Array:
    """Return the quantiles of a normal variable at the ranks of losses, standardised; equal ones share theirs."""
    from scipy.special import ndtri

    ordered = np.sort(losses)
    ranks = 0.5 * (np.searchsorted(ordered, losses, "left") + np.searchsorted(ordered, losses, "right"))
    scores = ndtri(ranks / len(losses))
    return (scores - scores.mean()) / (float(scores.std()) or 1.0)


def comparable(loss: float) -> float:
    """Return a loss by which trials can be ordered: one that is no number is worst."""
    return math.inf if math.isnan(loss) else loss


def _log_improvement(better: Array) -> Array:
    """Return the logarithm of the expected improvement of a standard normal variable below ``better``."""
    from scipy.special import ndtr

    density = np.exp(-0.5 * better**2) / math.sqrt(2.0 * math.pi)
    exact = np.log(np.maximum(better * ndtr(better) + density, 1e-300))
    tail = -0.5 * better**2 - 0.5 * math.log(2.0 * math.pi) - 2.0 * np.log(np.maximum(-better, 1.0))
    return np.where(better > -6.0, exact, tail)
