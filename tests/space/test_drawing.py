"""Values without Optuna: drawn, nearest, or as a table or a file has them."""

import random

import pytest

from tuner.space import Categorical, Discrete, Float, Int
from tuner.space.drawing import as_value, drawn, fitted, listed, read_value

RATE = Float("rate", 0.001, 0.1, log=True)
GRID = Float("grid", 0.0, 1.0, step=0.25)
UNITS = Int("units", 16, 70, step=16)
BATCH = Discrete("batch", (16, 32, 100))
KIND = Categorical("kind", (64, "64", None, True, [1, 2.0]))


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (UNITS, 41.0, 48),
        (UNITS, 1e9, 64),  # 70 is no step
        (UNITS, -5, 16),
        (GRID, 0.3, 0.25),
        (GRID, 7.0, 1.0),
        (RATE, 1.0, 0.1),
        (RATE, 0.02, 0.02),
    ],
)
def test_the_nearest_value_is_on_the_grid_and_within_the_bounds(parameter, value, expected):
    assert fitted(parameter, value) == expected


def test_draws_are_even_on_the_scale_of_the_parameter():
    chance = random.Random(0)
    values = [drawn(RATE, chance) for _ in range(4000)]
    assert all(0.001 <= value <= 0.1 for value in values)
    assert sum(value < 0.01 for value in values) == pytest.approx(2000, abs=150)
    assert {drawn(UNITS, chance) for _ in range(200)} == {16, 32, 48, 64}
    assert {drawn(BATCH, chance) for _ in range(200)} == {16, 32, 100}


@pytest.mark.parametrize(
    ("parameter", "given", "expected"),
    [
        (RATE, 0.01, 0.01),
        (UNITS, 32.0, 32),
        (BATCH, 100.00000000001, 100),
        (KIND, 64.0, 64),
        (KIND, "64", "64"),
        (KIND, None, None),
        (KIND, [1.0, 2], [1, 2.0]),
    ],
)
def test_a_value_is_that_of_the_parameter(parameter, given, expected):
    found = as_value(parameter, given)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("parameter", "given", "said"),
    [
        (RATE, 0.2, "0.2 is outside 0.001 to 0.1"),
        (UNITS, 33, "33 is between two steps of 16"),
        (BATCH, 64, "64 is none of 16, 32, 100"),
        (RATE, True, "no number"),
        (RATE, float("nan"), "nan is no number"),
        (RATE, "0.01", "expected 0.01 without quotes"),
        (KIND, 1, "is none of the choices"),
    ],
)
def test_what_is_no_value_is_said(parameter, given, said):
    with pytest.raises(ValueError) as caught:
        as_value(parameter, given)
    assert said in str(caught.value)


def test_a_cell_of_a_table_is_read_only_if_its_text_is_no_value_itself():
    assert read_value(RATE, "0.01") == 0.01
    assert read_value(KIND, "64") == "64"
    assert read_value(KIND, "True") is True
    with pytest.raises(ValueError, match="none of the choices"):
        read_value(KIND, "false")


def test_of_many_values_ten_are_listed():
    assert listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
