"""A Gaussian process over what trials have shown at one rung, by their parameters.

Its covariance is a smooth function of the parameters (Matern 5/2, a length for each), a level that all trials
share, and what each has of its own. Lengths and variances are the maximum of the posterior under log-normal priors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
_ROOT5 = math.sqrt(5.0)
_JITTER = 1e-6
_BOUND = 5.0  # of a logarithm, to both sides of its prior's middle
_HOPELESS = 1e10

_VARIANCES = (0.8, 0.3, 0.05)
"""Prior medians of the variances: smooth, level, own."""
_SPREAD = 1.0  # of the logarithms of lengths and variances


@dataclass(frozen=True)
class Observations:
    """Values of trials, a row each.

    Attributes:
        features: Of the parameters.
        groups: Parameter of each column of the features.
        values: Less is better.
    """

    features: Array
    groups: Array
    values: Array

    def some(self, chosen: Array) -> Observations:
        """Return those that are chosen."""
        return Observations(self.features[chosen], self.groups, self.values[chosen])


def prior(parameters: int) -> Array:
    """Return the middle of the logarithms of all hyperparameters: lengths, variances."""
    lengths = np.full(parameters, math.log(0.5 * math.sqrt(max(1, parameters))))
    return np.concatenate([lengths, np.log(_VARIANCES)])


def fit(seen: Observations, begin: Array, evaluations: int) -> Array:
    """Return hyperparameters at which the posterior is higher than at ``begin``.

    Args:
        seen: What to fit to; the cost of an evaluation grows with its cube.
        begin: Logarithms of hyperparameters to begin with.
        evaluations: At most so many of the likelihood.
    """
    from scipy.optimize import minimize

    middle = prior(len(begin) - len(_VARIANCES))
    low, high = middle - _BOUND, middle + _BOUND
    found = minimize(
        _loss,
        np.clip(begin, low, high),
        (seen, middle),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": evaluations, "maxfun": evaluations},
    )
    return found.x if np.isfinite(found.fun) and found.fun < _HOPELESS else middle


def _matern(distance: Array) -> tuple[Array, Array]:
    """Return the Matern 5/2 kernel and minus its derivative by the logarithm of a length, over squared distance."""
    decay = np.exp(-_ROOT5 * distance)
    return (1.0 + _ROOT5 * distance + 5.0 / 3.0 * distance**2) * decay, 5.0 / 3.0 * (1.0 + _ROOT5 * distance) * decay


def _distances(one: Array, other: Array) -> Array:
    squared = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1) - 2.0 * one @ other.T
    return np.sqrt(np.maximum(squared, 0.0))


def _loss(theta: Array, seen: Observations, middle: Array) -> tuple[float, Array]:
    """Return the negative log posterior and its gradient."""
    from scipy.linalg import cholesky
    from scipy.linalg.lapack import dtrtri

    size = len(theta) - len(_VARIANCES)
    smooth, level, own = np.exp(theta[size:])
    places = seen.features / np.exp(theta[:size])[seen.groups]
    away = _distances(places, places)
    np.fill_diagonal(away, 0.0)
    near, slope = _matern(away)
    matrix = smooth * near + level
    matrix[np.diag_indices(len(places))] += own + _JITTER
    try:
        lower = cholesky(matrix, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return _HOPELESS, np.zeros_like(theta)
    half = dtrtri(lower, lower=1)[0]
    inverse = half.T @ half
    weights = inverse @ seen.values
    pull = 0.5 * (inverse - np.outer(weights, weights))
    on_length = pull * smooth * slope
    squares = 2.0 * (on_length.sum(axis=1) @ places**2 - np.einsum("ij,ij->j", places, on_length @ places))
    by_variance = [smooth * (pull * near).sum(), level * pull.sum(), own * np.trace(pull)]
    gradient = np.concatenate([np.bincount(seen.groups, squares, minlength=size), by_variance])
    far = (theta - middle) / _SPREAD
    value = 0.5 * seen.values @ weights + np.log(np.diag(lower)).sum() + 0.5 * far @ far
    return float(value), gradient + far / _SPREAD


class GaussianProcess:
    """The process, given what was seen.

    Args:
        theta: Logarithms of the hyperparameters.
        seen: Values, one at least.
    """

    def __init__(self, theta: Array, seen: Observations) -> None:
        size = len(theta) - len(_VARIANCES)
        self._smooth, self._level, self._own = np.exp(theta[size:])
        self._scale = np.exp(theta[:size])[seen.groups]
        self._places = seen.features / self._scale
        self._half = self._inverse_root(self._covariance(self._places, self._places))
        self._weights = self._half.T @ (self._half @ seen.values)
        self._pending: tuple[Array, Array, Array] | None = None

    def expect(self, features: Array) -> None:
        """Take that values of trials are to come: they narrow the spread as if they came out as predicted."""
        places = features / self._scale
        known = self._covariance(places, self._places) @ self._half.T
        left = self._inverse_root(self._covariance(places, places) - known @ known.T)
        self._pending = places, known, left

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return mean and spread of what trials would show, without what each has of its own.

        That cannot be searched for: with it, one more trial beside the best one would always seem worth its while.
        """
        places = features / self._scale
        across = self._covariance(places, self._places)
        known = across @ self._half.T
        variance = self._smooth + self._level - np.einsum("ij,ij->i", known, known)
        if self._pending is not None:
            pending, seen, half = self._pending
            more = (self._covariance(places, pending) - known @ seen.T) @ half.T
            variance -= np.einsum("ij,ij->i", more, more)
        return across @ self._weights, np.sqrt(np.maximum(variance, 1e-10))

    def _covariance(self, one: Array, other: Array) -> Array:
        return self._smooth * _matern(_distances(one, other))[0] + self._level

    def _inverse_root(self, matrix: Array) -> Array:
        """Return the inverse of the lower root of a covariance of trials, with what they have of their own."""
        from scipy.linalg import cholesky
        from scipy.linalg.lapack import dtrtri

        matrix[np.diag_indices(len(matrix))] += self._own + _JITTER
        return dtrtri(cholesky(matrix, lower=True, check_finite=False), lower=1)[0]
