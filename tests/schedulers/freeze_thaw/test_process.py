"""One Gaussian process over all curves."""

import numpy as np
import pytest

from tuner.schedulers.freeze_thaw.process import CurveProcess, Observations, _loss, fit, prior


def seen(count=30, size=3, seed=0):
    chance = np.random.default_rng(seed)
    features = chance.random((count // 3, size))
    trials, steps = np.arange(count) // 3, np.tile([0.0, 0.4, 1.0], count // 3)
    values = np.sin(3 * features[trials, 0]) + steps * features[trials, 1] + 0.05 * chance.standard_normal(count)
    return Observations(features, np.arange(size), trials, steps, values)


def test_the_gradient_of_the_posterior_is_that_of_its_differences():
    observations = seen()
    observations = Observations(observations.features, np.array([0, 1, 1]), *vars_of(observations))
    middle, spread = prior(2)
    theta, width = middle + 0.1, 1e-5
    _, gradient = _loss(theta, observations, middle, spread)
    for index in range(len(theta)):
        step = np.eye(len(theta))[index] * width
        above, below = (_loss(theta + sign * step, observations, middle, spread)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / (2 * width), rel=1e-3, abs=1e-3)


def vars_of(observations):
    return observations.trials, observations.steps, observations.values


def test_a_fitted_process_predicts_trials_and_knows_where_it_does_not_know():
    observations = seen(60)
    middle, spread = prior(3)
    theta = fit(observations, middle, 30)
    assert _loss(theta, observations, middle, spread)[0] < _loss(middle, observations, middle, spread)[0]
    process = CurveProcess(theta, observations)
    mean, narrow = process.predict(observations.features[observations.trials], observations.steps, observations.trials)
    assert np.abs(mean - observations.values).max() < 0.2
    _, wide = process.predict(np.array([[3.0, 3.0, 3.0]]), 1.0)
    assert wide[0] > 3 * narrow.max()


def test_an_evaluation_that_is_to_come_narrows_the_spread_about_it_and_moves_no_mean():
    process = CurveProcess(prior(3)[0], seen())
    point = np.array([[0.9, 0.1, 0.9]])
    before, wide = process.predict(point, 1.0)
    process.expect(point, np.array([1.0]), np.array([-1]))
    after, narrow = process.predict(point, 1.0)
    assert after[0] == before[0]
    assert narrow[0] < 0.7 * wide[0]
