"""The model of freeze-thaw search: the space as a cube, and one Gaussian process over all curves."""

import random

import numpy as np
import pytest

from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.process import CurveProcess, Observations, _loss, fit, prior
from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.space.drawing import drawn
from tuner.study.sampling import walk

SPACE = Space(
    (
        Float("rate", 1e-4, 1e-1, log=True),
        Float("decay", 0.9, 0.999, log=True, reverse=True),
        Int("layers", 1, 4),
        Int("units", 16, 256, step=16),
        Discrete("width", (1, 2, 8)),
        Categorical("optimizer", ("adam", "sgd", [1, 2])),
        Float("momentum", 0.0, 0.9, step=0.1, when={"optimizer": ("sgd",)}),
        Float("drop", 0.0, 0.5, when={"layers": (2, 3)}),
    )
)


@pytest.mark.parametrize("seed", range(20))
def test_parameters_of_every_kind_come_back_from_their_point(seed):
    chance = random.Random(seed)
    params = walk(SPACE, lambda parameter: drawn(parameter, chance))
    cube = Cube(SPACE)
    again = cube.params(cube.point(params))
    assert list(again) == list(params)
    for name, value in params.items():
        assert again[name] == (pytest.approx(value) if isinstance(value, float) else value)


def test_points_that_mean_the_same_parameters_have_the_same_features():
    cube = Cube(SPACE)
    adam = [0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.2, 0.5]
    moved = [0.5, 0.5, 0.5, 0.501, 0.45, 0.3, 0.9, 0.5]  # within one step of units, one width, adam, momentum absent
    sgd = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.5]
    one, other, third = cube.features(np.array([adam, moved, sgd]))
    assert one.tolist() == other.tolist()
    assert np.abs(one - third).max() > 0.1
    assert len(one) == len(cube.groups) == 10  # a column for each choice


@pytest.mark.parametrize("width", [0.01, 0.5])
def test_what_lies_near_a_point_is_in_the_cube_and_no_copy(width):
    chance = np.random.default_rng(0)
    points = chance.random((50, 8))
    near = Cube(SPACE).near(points, width, chance)
    assert near.min() >= 0.0 and near.max() <= 1.0
    numbers = [0, 1, 2, 3, 4, 6, 7]
    moved = np.abs(near - points)[:, numbers]
    assert (moved > 0).any(axis=1).mean() > 0.9
    assert np.median(moved[moved > 0]) < 2 * width


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
