"""A Gaussian process over the learning curves of all trials, by parameters and step.

Its covariance of two evaluations is the sum of

- a smooth function of the parameters (Matern 5/2, a length for each parameter), part of which changes with the step,
- a rough one (Matern 1/2 on the same lengths, shortened), by which a trial's own deviation is shared by what
  lies close to it, part of which changes with the step, too,
- a curve that is common to all trials, an offset of each trial, and noise.

Steps stand on a logarithmic scale. The form follows the freeze-thaw idea of one model of all curves (Swersky,
Snoek and Adams, "Freeze-Thaw Bayesian Optimization", 2014, arXiv 1406.3896) with the product of kernels of
parameters and resource in Klein et al., "Model-based Asynchronous Hyperparameter and Neural Architecture Search",
2020 (arXiv 2003.10865). Lengths and variances are the maximum of the posterior under log-normal priors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
_ROOT5 = math.sqrt(5.0)
_JITTER = 1e-6
_CLOSE = 1e-6  # distances below are taken for none
_BOUND = 5.0  # of a logarithm, to both sides of its prior's middle

_AMPLITUDES = (0.5, 0.3, 0.3, 0.2, 0.1, 0.03, 0.01)
"""Prior medians of the variances: smooth, smooth by step, common, rough, rough by step, own offset, noise."""
_SHAPES = (0.5, 0.5, 3.0)
"""Prior medians: length in step, length of the common curve, how much shorter the rough part's lengths are."""
_SPREAD = 1.0  # of lengths and variances
_SHAPE_SPREADS = (0.5, 0.5, 0.7)


@dataclass(frozen=True)
class Observations:
    """Evaluations, a row each.

    Attributes:
        features: Of the parameters, one row for each trial.
        groups: Parameter of each column of the features.
        trials: Row of the trial in ``features``.
        steps: On a scale from 0 to 1.
        values: Standardised; lower is better.
    """

    features: Array
    groups: Array
    trials: Array
    steps: Array
    values: Array

    def some(self, chosen: Array) -> Observations:
        """Return those that are chosen."""
        return Observations(self.features, self.groups, self.trials[chosen], self.steps[chosen], self.values[chosen])


def prior(parameters: int) -> tuple[Array, Array]:
    """Return middle and spread of the logarithms of all hyperparameters: lengths, variances, shapes."""
    lengths = np.full(parameters, math.log(0.5 * math.sqrt(max(1, parameters))))
    middle = np.concatenate([lengths, np.log(_AMPLITUDES), np.log(_SHAPES)])
    spread = np.concatenate([np.full(parameters + len(_AMPLITUDES), _SPREAD), _SHAPE_SPREADS])
    return middle, spread


def fit(seen: Observations, begin: Array, evaluations: int) -> Array:
    """Return hyperparameters at which the posterior is higher than at ``begin``.

    Args:
        seen: What to fit to; the cost of an evaluation grows with its cube.
        begin: Logarithms of hyperparameters to begin with.
        evaluations: At most so many of the likelihood.
    """
    from scipy.optimize import minimize

    middle, spread = prior(int(seen.groups.max(initial=-1)) + 1)
    found = minimize(
        _loss,
        np.clip(begin, middle - _BOUND, middle + _BOUND),
        (seen, middle, spread),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(middle - _BOUND, middle + _BOUND, strict=True)),
        options={"maxiter": evaluations, "maxfun": evaluations},
    )
    return found.x if np.isfinite(found.fun) and found.fun < _HOPELESS else middle


_HOPELESS = 1e10


def _matern5(distance: Array) -> tuple[Array, Array]:
    """Return the Matern 5/2 kernel and minus its derivative by the logarithm of a length, over squared distance."""
    decay = np.exp(-_ROOT5 * distance)
    return (1.0 + _ROOT5 * distance + 5.0 / 3.0 * distance**2) * decay, 5.0 / 3.0 * (1.0 + _ROOT5 * distance) * decay


def _distances(one: Array, other: Array) -> Array:
    squared = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1) - 2.0 * one @ other.T
    return np.sqrt(np.maximum(squared, 0.0))


def _loss(theta: Array, seen: Observations, middle: Array, spread: Array) -> tuple[float, Array]:
    """Return the negative log posterior and its gradient."""
    from scipy.linalg import cholesky
    from scipy.linalg.lapack import dtrtri

    count, size = len(seen.values), len(theta) - len(_AMPLITUDES) - len(_SHAPES)
    smooth, by_step, common, rough, rough_by_step, own, noise, length, shared, short = np.exp(theta[size:])
    places = (seen.features / np.exp(theta[:size])[seen.groups])[seen.trials]
    same = seen.trials[:, None] == seen.trials
    away = np.where(same, 0.0, _distances(places, places))
    apart = np.abs(seen.steps[:, None] - seen.steps)
    (near, near_slope), close = _matern5(away), np.exp(-short * away)
    (early, early_slope), (along, along_slope) = _matern5(apart / length), _matern5(apart / shared)
    high, low = smooth + by_step * early, rough + rough_by_step * early
    matrix = near * high + close * low + common * along + own * same
    matrix[np.diag_indices(count)] += noise + _JITTER
    try:
        lower = cholesky(matrix, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return _HOPELESS, np.zeros_like(theta)
    half = dtrtri(lower, lower=1)[0]
    inverse = half.T @ half
    weights = inverse @ seen.values
    pull = 0.5 * (inverse - np.outer(weights, weights))
    on_near, on_close = pull * near, pull * close
    on_rough = short * on_close * low
    on_length = pull * high * near_slope + np.where(away > _CLOSE, on_rough / np.maximum(away, _CLOSE), 0.0)
    squares = 2.0 * (on_length.sum(axis=1) @ places**2 - np.einsum("ij,ij->j", places, on_length @ places))
    gradient = np.concatenate(
        [
            np.bincount(seen.groups, squares, minlength=size),
            [
                smooth * on_near.sum(),
                by_step * (on_near * early).sum(),
                common * (pull * along).sum(),
                rough * on_close.sum(),
                rough_by_step * (on_close * early).sum(),
                own * (pull * same).sum(),
                noise * np.trace(pull),
                ((by_step * on_near + rough_by_step * on_close) * early_slope * (apart / length) ** 2).sum(),
                common * (pull * along_slope * (apart / shared) ** 2).sum(),
                -(on_rough * away).sum(),
            ],
        ]
    )
    far = (theta - middle) / spread
    value = 0.5 * seen.values @ weights + np.log(np.diag(lower)).sum() + 0.5 * far @ far
    return float(value), gradient + far / spread


class CurveProcess:
    """The process, given what was seen.

    Args:
        theta: Logarithms of the hyperparameters.
        seen: Evaluations, one at least.
    """

    def __init__(self, theta: Array, seen: Observations) -> None:
        from scipy.linalg import cholesky
        from scipy.linalg.lapack import dtrtri

        size = len(theta) - len(_AMPLITUDES) - len(_SHAPES)
        self._variances = np.exp(theta[size:])
        self._scale = np.exp(theta[:size])[seen.groups]
        self._own, self._noise = self._variances[5], self._variances[6]
        self._points = _Rows(seen.features / self._scale, seen.trials, seen.steps)
        matrix = self._covariance(self._points, self._points)
        matrix[np.diag_indices(len(seen.values))] += self._noise + _JITTER
        self._half = dtrtri(cholesky(matrix, lower=True, check_finite=False), lower=1)[0]
        self._weights = self._half.T @ (self._half @ seen.values)
        self._pending: tuple[_Rows, Array, Array] | None = None

    def expect(self, features: Array, steps: Array, trials: Array) -> None:
        """Take that evaluations are to come: they narrow the spread as if they came out as predicted.

        Args:
            features: Of their trials.
            steps: At which they will come.
            trials: Row of each among the observations' trials; -1 for those that have none.
        """
        from scipy.linalg import cholesky
        from scipy.linalg.lapack import dtrtri

        rows = _Rows(features / self._scale, np.arange(len(features)), steps, trials)
        known = self._covariance(rows, self._points) @ self._half.T
        left = self._covariance(rows, rows, own=False) - known @ known.T
        left[np.diag_indices(len(steps))] += self._own + self._noise + _JITTER
        self._pending = (rows, known, dtrtri(cholesky(left, lower=True, check_finite=False), lower=1)[0])

    def predict(self, features: Array, steps: Array, trials: Array | None = None) -> tuple[Array, Array]:
        """Return mean and spread at points.

        Args:
            features: Of their parameters.
            steps: One for each, or one for all.
            trials: Row of each among the observations' trials; None for new trials.
        """
        new = np.full(len(features), -1) if trials is None else trials
        rows = _Rows(features / self._scale, np.arange(len(features)), np.broadcast_to(steps, len(features)), new)
        across = self._covariance(rows, self._points)
        known = across @ self._half.T
        variance = self._variances[:6].sum() - np.einsum("ij,ij->i", known, known)
        if self._pending is not None:
            pending, seen, half = self._pending
            more = (self._covariance(rows, pending, own=False) - known @ seen.T) @ half.T
            variance -= np.einsum("ij,ij->i", more, more)
        return across @ self._weights, np.sqrt(np.maximum(variance, 1e-10))

    def _covariance(self, one: _Rows, other: _Rows, own: bool = True) -> Array:
        smooth, by_step, common, rough, rough_by_step, _, _, length, shared, short = self._variances
        away = _distances(one.places, other.places)
        apart = np.abs(one.unique[:, None] - other.unique)
        early, along = _matern5(apart / length)[0], _matern5(apart / shared)[0]
        found = one.spread(_matern5(away)[0], other) * one.at(smooth + by_step * early, other)
        found += one.spread(np.exp(-short * away), other) * one.at(rough + rough_by_step * early, other)
        found += one.at(common * along, other)
        if own:
            found += self._own * (one.trials[:, None] == other.trials)
        return found


class _Rows:
    """Points of which many share their place or their step, so that kernels are computed once for each."""

    def __init__(self, places: Array, row: Array, steps: Array, trials: Array | None = None) -> None:
        used, of_row = np.unique(row, return_inverse=True)
        self.places = places[used]
        self.trials = row if trials is None else trials
        self.unique, of_step = np.unique(steps, return_inverse=True)
        alone = len(used) == len(row) and (used == row).all()  # each has a place of its own
        self._row: Array | None = None if alone else of_row
        self._step: Array | None = None if len(self.unique) == 1 else of_step  # one row stands for all

    def spread(self, kernel: Array, other: _Rows) -> Array:
        """Return a kernel of places as one of points."""
        return _expanded(_expanded(kernel, self._row, 0), other._row, 1)

    def at(self, kernel: Array, other: _Rows) -> Array:
        """Return a kernel of steps as one that goes with one of points."""
        return _expanded(_expanded(kernel, self._step, 0), other._step, 1)


def _expanded(kernel: Array, rows: Array | None, axis: int) -> Array:
    return kernel if rows is None else kernel.take(rows, axis=axis)
