"""What all trials have shown, as a process of their curves, and the improvement that it expects of a trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.process import CurveProcess, Observations

Array = Any

FLOOR = 1.0  # of the regret, in units of the median trial's: what is nearer to the best differs little
CEILING = 3.0  # of the regret, likewise: what is farther is as bad
MOST = 300  # evaluations that the model sees
HOPE = -0.3  # standard deviations that a trial may be expected behind the best and still train to its end, at the end
RATIO = 1.35  # from one evaluation at which a trial may pause to the next


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


class CurveModel:
    """The process of all curves, and what improvement it expects.

    Args:
        cube: Of the parameters.
        trials: By number.
        evaluations: Of a full training.

    Attributes:
        seen: What the process is given.
        row: Of each trial in it, by number.
    """

    def __init__(self, cube: Cube, trials: Mapping[int, Trial], evaluations: int) -> None:
        self._end = evaluations
        kept = _thinned(trials, evaluations)
        self._numbers = sorted({number for number, _, _ in kept})
        self.row = {number: row for row, number in enumerate(self._numbers)}
        losses = np.array([loss for _, _, loss in kept])
        lowest = [min(map(comparable, trial.curve.values())) for trial in trials.values() if trial.curve]
        self._best, middle = min(lowest), float(np.median(lowest))
        self._scale = middle - self._best if self._best < middle < math.inf else 1.0
        values = self._regret(losses)
        self._mean, self._spread = float(values.mean()), float(values.std()) or 1.0
        self._threshold = (math.log(FLOOR) - self._mean) / self._spread
        self.seen = Observations(
            np.stack([trials[number].features for number in self._numbers]),
            cube.groups,
            np.array([self.row[number] for number, _, _ in kept]),
            self._times(np.array([evaluation for _, evaluation, _ in kept])),
            (values - self._mean) / self._spread,
        )

    def condition(self, theta: Array, running: Mapping[int, Trial]) -> None:
        """Take hyperparameters, and trials that run and will be evaluated."""
        self._process = CurveProcess(theta, self.seen)
        if running:
            ahead = np.array([min(self._end, math.ceil((trial.last + 1) * RATIO)) for trial in running.values()])
            rows = np.array([self.row.get(number, -1) for number in running])
            self._process.expect(np.stack([t.features for t in running.values()]), self._times(ahead), rows)

    def best(self, count: int) -> list[int]:
        """Return the numbers of the trials that are expected to end best."""
        mean, _ = self._process.predict(self.seen.features, 1.0, np.arange(len(self._numbers)))
        return [self._numbers[row] for row in np.argsort(mean, kind="stable")[:count]]

    def hopeful(self, numbers: Sequence[int]) -> int | None:
        """Return of some trials the one that most likely ends better than all that was seen, if that may well be."""
        known = [number for number in numbers if number in self.row]
        if not known:
            return None
        rows = np.array([self.row[number] for number in known])
        mean, spread = self._process.predict(self.seen.features[rows], 1.0, rows)
        better = (self._threshold - mean) / spread
        return known[int(np.argmax(better))] if better.max() > HOPE else None

    def improvement(self, features: Array, evaluations: Any, rows: Array | None = None) -> Array:
        """Return the logarithm of the expected improvement on the best loss, after so many evaluations."""
        times = self._times(np.broadcast_to(np.asarray(evaluations, float), len(features)))
        mean, spread = self._process.predict(features, times, rows)
        return _log_improvement((self._threshold - mean) / spread) + np.log(spread)

    def expected(self, features: Array, evaluations: float, row: int | None = None) -> float:
        """Return the loss that is expected of a trial after so many evaluations."""
        rows = None if row is None else np.array([row])
        mean, _ = self._process.predict(features[None], self._times(np.array([float(evaluations)])), rows)
        far = math.exp(float(mean[0]) * self._spread + self._mean) - FLOOR
        return self._best + far * self._scale

    def _regret(self, losses: Array) -> Array:
        """Return losses as the logarithm of how far they are from the best; those that are no number are worst."""
        far = (losses - self._best) / self._scale if math.isfinite(self._best) else np.full(len(losses), CEILING)
        return np.log(np.clip(np.nan_to_num(far, nan=CEILING, posinf=CEILING), 0.0, CEILING) + FLOOR)

    def _times(self, evaluations: Array) -> Array:
        return np.log(evaluations) / math.log(self._end) if self._end > 1 else np.ones(len(evaluations))


def _thinned(trials: Mapping[int, Trial], end: int) -> list[tuple[int, int, float]]:
    """Return trial, number and loss of the evaluations that the model sees: of each trial the last, and some before.

    Of too many the last ones of the best trials stay, then what these showed before.
    """
    grid = {1, 2}
    while max(grid) < end:
        grid.add(math.ceil(max(grid) * 1.6))
    shown = {n: trial.curve[trial.last] if not trial.failed else math.nan for n, trial in trials.items() if trial.curve}
    shown |= {number: math.nan for number, trial in trials.items() if trial.failed}
    order = sorted(shown, key=lambda number: (comparable(shown[number]), number))
    found = []
    for place, number in enumerate(order):
        curve, last = trials[number].curve, trials[number].last
        if trials[number].failed:
            last = min(end, last + 1)
        before = [step for step in sorted(curve) if step in grid and step != last]
        found += [(len(order) + place, number, step, curve[step]) for step in before]
        found.append((place, number, last, shown[number]))
    return sorted(row[1:] for row in sorted(found, key=lambda row: row[:3])[:MOST])


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
