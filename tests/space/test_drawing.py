"""Values without Optuna: drawn, nearest, or as a table or a file has them."""

import math
import random

import optuna
import pytest

from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.space.conditions import fitted_condition
from tuner.space.drawing import as_value, drawn, fitted, listed, read_value, share_of, value_at
from tuner.study.encoding import distribution, grid

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


STEPS = [
    (0.1, 0.3, 0.1, 3),  # 0.1 and two steps are 0.30000000000000004 in binary
    (0.0, 0.6, 0.2, 4),
    (0.0, 0.7, 0.1, 8),
    (0.05, 0.15, 0.05, 3),
    (0.0, 0.35, 0.05, 8),
    (0.1, 0.35, 0.1, 3),  # the last step is below the end
    (0.0, 1.0, 0.3, 4),
]


@pytest.mark.parametrize(("low", "high", "step", "count"), STEPS)
def test_all_draw_the_same_values_of_steps_and_each_is_a_value(low, high, step, count):
    parameter = Float("x", low, high, step=step)
    values = [value_at(parameter, (k + 0.5) / count) for k in range(count)]
    assert low == values[0] and values[-1] == pytest.approx(parameter.top) and values[-1] <= parameter.top <= high
    assert grid(Space((parameter,)))["x"] == values
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trials = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    assert {trials.ask({"x": distribution(parameter)}).params["x"] for _ in range(200)} == set(values)
    for value in values:
        assert distribution(parameter)._contains(value)
        assert as_value(parameter, value) == as_value(parameter, round(value, 6)) == value
        assert fitted_condition(parameter, (round(value, 6),)) == (value,)
    assert as_value(parameter, low + (count - 1) * step) == values[-1]  # as an earlier version recorded it


@pytest.mark.parametrize(
    "parameter",
    [
        Int("layers", 1, 3),
        UNITS,
        BATCH,
        GRID,
        KIND,
        Float("x", 0.1, 0.35, step=0.1),
        Int("one", 5, 5),
    ],
    ids=lambda parameter: parameter.name,
)
def test_each_value_has_as_long_a_part_of_the_line_as_any_other_the_ends_too(parameter):
    values = [value_at(parameter, (k + 0.5) / 1200) for k in range(1200)]
    counts = {repr(value): values.count(value) for value in values if value is not True}
    assert max(counts.values()) - min(counts.values()) <= 2
    for value in values[::60]:
        assert value_at(parameter, share_of(parameter, value)) == value


@pytest.mark.parametrize("reverse", [False, True])
def test_whole_numbers_are_drawn_in_their_logarithm_as_optuna_draws_them(reverse):
    parameter = Int("n", 1, 10, log=True, reverse=reverse)
    values = [value_at(parameter, (k + 0.5) / 3000) for k in range(3000)]
    first, last = (10, 1) if reverse else (1, 10)
    assert values.count(first) == pytest.approx(3000 * math.log(1.5 / 0.5) / math.log(10.5 / 0.5), abs=2)
    assert values.count(last) == pytest.approx(3000 * math.log(10.5 / 9.5) / math.log(10.5 / 0.5), abs=2)
    assert all(value_at(parameter, share_of(parameter, value)) == value for value in range(1, 11))


def test_whole_numbers_beyond_what_a_double_holds_stay_what_they_are():
    assert as_value(Int("n", 0, 2**62), 2**53 + 1) == 2**53 + 1


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
