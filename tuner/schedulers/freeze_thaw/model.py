"""What trials will come to at the end of their training, by their parameters and by what they have shown so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuner.domain.scoring import INFEASIBLE
from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.gaussian_process import GaussianProcess, Observations, fit, prior

Array = Any

MOST = 250  # trials that a process sees
MOST_FITTED = 120  # of these, to which its hyperparameters are fitted
LEADING = 100  # trials with the best scores, among which those are that will come to most
FEWEST = 4  # trials at a rung, for the changes up to it to be modelled
FEWEST_FITTED = 8  # of these, for the process to be fitted
GROWTH = 0.25  # of the trials at a rung, from one fit to the next
ITERATIONS = 15  # of a fit
FEWEST_ALONE = 10  # trials at a rung, for it to be looked at alone
UNKNOWN = 0.3  # spread of the change up to a rung at which hardly any trial was


@dataclass
class Trial:
    """A trial as the search knows it.

    Attributes:
        point: Of its parameters, in the cube.
        curve: Number of the evaluation, from 1, to the loss.
        running: Whether a worker has it.
        waiting: Whether it is paused.
        finished: Whether it will not run again.
        failed: Whether it came to nothing at the end of its curve.
    """

    point: Array
    features: Array
    curve: dict[int, float] = field(default_factory=dict)
    running: bool = False
    waiting: bool = False
    finished: bool = False
    failed: bool = False

    @property
    def last(self) -> int:
        """Number of its last evaluation; 0 before the first."""
        return max(self.curve, default=0)


@dataclass(frozen=True)
class Fit:
    """Hyperparameters of the process of a rung, as logarithms, and the number of trials that were there then."""

    theta: tuple[float, ...]
    count: int


class CurveModel:
    """A process for the scores that trials have at the first rung, and one for the changes up to each later one.

    A score is the quantile of the normal distribution at a trial's rank: how far the worst are from the others says
    nothing about where the best is, nor does the scale on which the user measures. At the first rung all trials are
    ranked. Those that came to a later one share out, by their ranks there, the scores that they had at the rung before.
    So a score stands for a rank among all trials, though only the better ones came so far, and a change of score says
    which of them had looked better or worse than they are. What a trial comes to is its score and the changes that are
    still ahead of it, as in Kennedy and O'Hagan, "Predicting the output from a complex computer code when fast
    approximations are available", Biometrika 87 (2000), each rung being an approximation of the next.

    Args:
        cube: Of the parameters.
        trials: By number; those of earlier sweeps have negative ones, are ranked among themselves by what they came to
            in the end, and have these scores at the first rung.
        rungs: Numbers of the evaluations at which trials are compared, the last one at the end of a full training.
        running: Numbers of trials that will show a value at the first rung, if they have none.

    Attributes:
        numbers: Of the trials that it knows of: those that have shown something at the first rung, or failed before it.
            If there is none, nothing else may be asked.
        counts: Trials at each rung that is modelled.
    """

    def __init__(self, cube: Cube, trials: Mapping[int, Trial], rungs: Sequence[int], running: Iterable[int]) -> None:
        losses = [_losses(trials, rungs, index) for index in range(len(rungs))]
        earlier = {number: trial.curve[rungs[-1]] for number, trial in trials.items() if number < 0}
        self.numbers = sorted([*losses[0], *earlier])
        self._rungs = rungs
        self._groups, self._parameters = cube.groups, cube.parameters
        self._row = {number: row for row, number in enumerate(self.numbers)}
        self._features = np.array([trials[number].features for number in self.numbers])
        self._losses = np.full((len(rungs), len(self.numbers)), np.nan)
        self._scores = self._losses.copy()
        for index, at_rung in enumerate(losses):
            there = [number for number in at_rung if number in self._row]
            if index:
                there = [number for number in there if not math.isnan(self._scores[index - 1, self._row[number]])]
            rows = [self._row[number] for number in there]
            before = self._scores[index - 1, rows] if index else _quantiles(len(rows))
            self._losses[index, rows] = [at_rung[number] for number in there]
            self._scores[index, rows] = _shared_out(before, self._losses[index, rows])
        rows = [self._row[number] for number in earlier]
        self._scores[0, rows] = _shared_out(_quantiles(len(rows)), np.array([comparable(v) for v in earlier.values()]))
        self._level = (~np.isnan(self._scores)).sum(axis=0) - 1
        modelled = [index for index in range(len(rungs)) if index == 0 or self._there(index).size >= FEWEST]
        self.counts = [self._there(index).size for index in modelled]
        self._seen = [self._observations(index) for index in modelled]
        self._running = [trials[number].features for number in sorted(running) if number not in self._row]

    def _there(self, rung: int) -> Array:
        """Return the rows of the trials at a rung."""
        return np.flatnonzero(~np.isnan(self._scores[rung]))

    def _observations(self, rung: int) -> Observations:
        """Return what the process of a rung sees."""
        rows = self._some_there(rung)
        values = self._scores[rung, rows] - (self._scores[rung - 1, rows] if rung else 0.0)
        return Observations(self._features[rows], self._groups, values)

    def _some_there(self, rung: int) -> Array:
        """Return the rows of the trials at a rung; if they are too many, the best and an even choice of the others."""
        rows = self._there(rung)
        if len(rows) <= MOST:
            return rows
        order = rows[np.argsort(self._scores[rung, rows], kind="stable")]
        half = MOST // 2
        return np.sort(np.r_[order[:half], order[np.linspace(half, len(order) - 1, MOST - half).astype(int)]])

    def fitted(self, fits: Sequence[Fit], chance: Any) -> tuple[Fit, ...]:
        """Return the fits of all rungs, made anew if a rung has many more trials than its fit knows of."""
        found: list[Fit] = []
        for rung, (seen, count) in enumerate(zip(self._seen, self.counts, strict=True)):
            known = fits[rung] if rung < len(fits) else None
            if rung and count < FEWEST_FITTED:
                break
            if known is None or count >= known.count * (1.0 + GROWTH):
                begin = np.array(known.theta) if known else _begin(found, self._parameters)
                known = Fit(tuple(map(float, _fitted(seen, begin, chance))), count)
            found.append(known)
        return tuple(found)

    def condition(self, fits: Sequence[Fit]) -> None:
        """Take hyperparameters, and that trials which run will show a value at the first rung."""
        self._processes = [
            GaussianProcess(np.array(fits[rung].theta) if rung < len(fits) else _begin(fits, self._parameters), seen)
            for rung, seen in enumerate(self._seen)
        ]
        rung = len(self._processes) - 1
        self._known = rung, self._there(rung), self._scores[rung, self._there(rung)]
        self._expect_running()
        now = self._scores[self._level, np.arange(len(self.numbers))]
        self._leading = [self.numbers[row] for row in np.argsort(now, kind="stable")[:LEADING]]
        self._leading_ends, _ = self.ends(self._leading)

    def look_at_farthest(self, chance: Any) -> None:
        """Take what trials showed at the highest rung that some have come to, alone; none has, and all is as it was.

        What looks well early may mislead: of those that look well alone any come far, and what lies elsewhere is never
        seen again. Beside each other these show what matters later on. New trials alone may be asked for then.
        """
        rung = max((rung for rung in range(len(self._rungs)) if self._there(rung).size >= FEWEST_ALONE), default=0)
        if rung == 0:
            return
        rows = self._some_there(rung)
        values = _shared_out(_quantiles(len(rows)), self._losses[rung, rows])
        seen = Observations(self._features[rows], self._groups, values)
        self._processes = [GaussianProcess(_fitted(seen, prior(self._parameters), chance), seen)]
        self._known = rung, rows, values
        self._expect_running()
        best = rows[np.argsort(values, kind="stable")[:LEADING]]
        self._leading = [self.numbers[row] for row in best]
        self._leading_ends, _ = self._processes[0].predict(self._features[best])

    def _expect_running(self) -> None:
        if self._running:
            self._processes[0].expect(np.stack(self._running))

    def knows(self, number: int) -> bool:
        """Whether it knows of a trial."""
        return number in self._row

    def ends(self, numbers: Sequence[int]) -> tuple[Array, Array]:
        """Return mean and spread of the scores that known trials will come to."""
        rows = [self._row[number] for number in numbers]
        level = self._level[rows]
        mean, variance = self._scores[level, rows], np.zeros(len(rows))
        for rung in range(1, len(self._rungs)):
            change, spread = self._change(rung, self._features[rows])
            mean = mean + np.where(level < rung, change, 0.0)
            variance = variance + np.where(level < rung, spread**2, 0.0)
        return mean, np.sqrt(variance)

    def _change(self, rung: int, features: Array) -> tuple[Array | float, Array | float]:
        if rung < len(self._processes):
            return self._processes[rung].predict(features)
        return 0.0, UNKNOWN

    def best(self, count: int) -> list[int]:
        """Return the numbers of the trials that are expected to come to most."""
        return [self._leading[place] for place in np.argsort(self._leading_ends, kind="stable")[:count]]

    def improvement(self, features: Array) -> Array:
        """Return the logarithm of the expected improvement of new trials on the best that is expected of known ones."""
        found = [process.predict(features) for process in self._processes]
        mean, spread = sum(mean for mean, _ in found), np.sqrt(sum(spread**2 for _, spread in found))
        return _log_improvement((self._leading_ends.min() - mean) / spread) + np.log(spread)

    def expected(self, features: Array) -> tuple[float, int]:
        """Return the loss that is expected of a new trial at the highest rung that is seen, and that rung."""
        rung, rows, values = self._known
        score = sum(float(process.predict(features[None])[0][0]) for process in self._processes)
        order = np.argsort(values, kind="stable")
        order = order[self._losses[rung, rows[order]] < INFEASIBLE]
        loss = float(np.interp(score, values[order], self._losses[rung, rows[order]])) if len(order) else math.nan
        return loss, self._rungs[rung]


def _fitted(seen: Observations, begin: Array, chance: Any) -> Array:
    """Return hyperparameters of a process, fitted to some of what it sees."""
    return fit(seen.some(np.sort(chance.permutation(len(seen.values))[:MOST_FITTED])), begin, ITERATIONS)


def _begin(fits: Sequence[Fit], parameters: int) -> Array:
    """Return hyperparameters of a rung that has no fit yet: lengths are those of the last one that has."""
    found = prior(parameters)
    if fits:
        found[:parameters] = fits[-1].theta[:parameters]
    return found


def _losses(trials: Mapping[int, Trial], rungs: Sequence[int], rung: int) -> dict[int, float]:
    """Return the losses of this sweep's trials at a rung, the worst for one that failed on the way there."""
    before = rungs[rung - 1] if rung else 0
    found = {}
    for number, trial in trials.items():
        if number < 0:
            continue
        if rungs[rung] in trial.curve:
            found[number] = comparable(trial.curve[rungs[rung]])
        elif trial.failed and before <= trial.last < rungs[rung]:
            found[number] = math.inf
    return found


def _quantiles(count: int) -> Array:
    """Return the quantiles of the standard normal distribution at the ranks of so many."""
    from scipy.special import ndtri

    return ndtri((np.arange(count) + 0.5) / max(1, count))


def _shared_out(scores: Array, losses: Array) -> Array:
    """Return for each loss the score at its rank; equal losses have the mean of theirs."""
    _, group, size = np.unique(losses, return_inverse=True, return_counts=True)
    ends = np.cumsum(size)
    sums = np.concatenate([[0.0], np.cumsum(np.sort(scores))])
    return ((sums[ends] - sums[ends - size]) / size)[group]


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
