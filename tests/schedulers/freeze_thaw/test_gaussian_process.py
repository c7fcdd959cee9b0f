"""One Gaussian process over the values at a rung."""

import numpy as np
import pytest

from tuner.schedulers.freeze_thaw.gaussian_process import (
    GaussianProcess,
    Observations,
    _loss,
    fit,
    prior,
)


def seen(count=30, groups=(0, 1, 2), seed=0):
    chance = np.random.default_rng(seed)
    features = chance.random((count, 3))
    values = np.sin(6 * features[:, 0]) + features[:, 1] + 0.05 * chance.standard_normal(count)
    return Observations(features, np.array(groups), (values - values.mean()) / values.std())


def test_the_gradient_of_the_posterior_is_that_of_its_differences():
    observations = seen(groups=(0, 1, 1))
    middle = prior(2)
    theta, width = middle + 0.1, 1e-5
    _, gradient = _loss(theta, observations, middle)
    for index in range(len(theta)):
        step = np.eye(len(theta))[index] * width
        above, below = (_loss(theta + sign * step, observations, middle)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / (2 * width), rel=1e-3, abs=1e-3)


def test_a_fitted_process_predicts_trials_and_knows_where_it_does_not_know():
    observations = seen(40)
    theta = fit(observations, prior(3), 30)
    assert _loss(theta, observations, prior(3))[0] < _loss(prior(3), observations, prior(3))[0]
    assert theta[2] > theta[0]  # the third parameter changes nothing, so its length is longer
    process = GaussianProcess(theta, observations)
    mean, narrow = process.predict(observations.features)
    assert np.abs(mean - observations.values).max() < 0.3
    _, wide = process.predict(np.array([[3.0, 3.0, 3.0]]))
    assert wide[0] > 3 * narrow.max()


def test_a_value_that_is_to_come_narrows_the_spread_about_it_and_moves_no_mean():
    process = GaussianProcess(prior(3), seen())
    point = np.array([[1.5, 1.5, 1.5]])
    before, wide = process.predict(point)
    process.expect(point)
    after, narrow = process.predict(point)
    assert after[0] == before[0]
    assert narrow[0] < 0.7 * wide[0]
