"""The search space as a cube."""

import random

import numpy as np
import pytest

from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.space.conditions import walk
from tuner.space.drawing import drawn, share_of, value_at

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


NUMBERS = (
    Int("layers", 1, 4),
    Int("units", 16, 257),
    Int("batch", 16, 512, log=True),
    Int("keep", 16, 512, log=True, reverse=True),
    Float("momentum", 0.1, 0.35, step=0.1),
    Float("rate", 1e-4, 1e-1, log=True),
    Float("decay", 0.9, 0.999, log=True, reverse=True),
    Discrete("width", (1, 2, 8)),
)


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda parameter: parameter.name)
def test_a_features_place_is_that_of_the_value_that_its_trial_gets(parameter):
    points = np.random.default_rng(0).random((2000, 1))
    features = Cube(Space((parameter,))).features(points)[:, 0]
    expected = [share_of(parameter, value_at(parameter, float(at))) for (at,) in points]
    assert features == pytest.approx(expected, abs=1e-9)


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
