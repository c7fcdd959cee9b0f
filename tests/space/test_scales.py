"""Reverse logarithmic scales and discrete values: what a study holds, what samplers, the model and the records see."""

import random
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.config import from_json, parse_spec, to_json
from tuner.errors import InvalidInput
from tuner.schedulers.pbt import _moved
from tuner.space import Discrete, Float, Int, Space
from tuner.space.conditions import holds
from tuner.space.drawing import drawn
from tuner.study.sampling import decoded, distributions, encode, grid, walk
from tuner.study.storing import read, store, stored_distribution, suggest

optuna.logging.set_verbosity(optuna.logging.WARNING)

KEEP = Float("keep", 0.01, 0.999, log=True, reverse=True)
UNITS = Int("units", 3, 700, log=True, reverse=True)
BATCH = Discrete("batch", (16, 32, 100, 0.5e3))
SPACE = Space((KEEP, UNITS, BATCH))

FILE = """
objective: {metric: rmse}
parameters:
  keep: {type: float, low: 0.01, high: 0.999, scale: reverse_log}
  rate: {type: float, low: 0.01, high: 0.999, scale: log}
  units: {type: int, low: 3, high: 700, scale: reverse_log}
  batch: {type: discrete, values: [16, 32, 64]}
  nested: {type: float, low: 0, high: 1, when: {batch: [16, 64]}}
train: {max_steps: 300, evaluate_every: 100}
"""


def draw(trial):
    return walk(SPACE, lambda parameter: suggest(trial, parameter))


def spec(text=FILE):
    return parse_spec(text, "space.yaml", Path("/"), "stem", command=["true"])


@given(st.floats(0.01, 0.999), st.integers(3, 700), st.sampled_from(BATCH.values))
def test_a_study_holds_the_values_and_one_of_an_earlier_version_gives_them_back(keep, units, batch):
    given = {"keep": keep, "units": units, "batch": batch}
    kinds = {p.name: stored_distribution(p) for p in SPACE.parameters}
    assert store(given, SPACE) == given == read(given, kinds, SPACE)
    seen = encode(given, SPACE)  # by samplers, and stored by earlier versions
    for held, distributed in ((given, kinds), (seen, distributions(SPACE))):
        for name, distribution in distributed.items():
            assert distribution._contains(distribution.to_internal_repr(held[name]))
    back = read(seen, distributions(SPACE), SPACE)
    assert (back["units"], back["batch"]) == (units, batch)
    assert back["keep"] == pytest.approx(keep, rel=1e-12) and 0.01 <= back["keep"] <= 0.999


def test_an_enqueued_point_is_what_the_trial_gets():
    study = optuna.create_study()
    study.enqueue_trial(store({"keep": 0.99, "units": 699, "batch": 100}, SPACE))
    assert draw(study.ask()) == {"keep": 0.99, "units": 699, "batch": 100}


def test_a_grid_lists_each_value_once():
    space = Space((Int("units", 3, 6, log=True, reverse=True), BATCH))
    listed = grid(space)
    assert [decoded(seen, space.parameters[0]) for seen in listed["units"]] == [6, 5, 4, 3]
    assert tuple(decoded(seen, BATCH) for seen in listed["batch"]) == BATCH.values


def test_a_file_says_them_and_they_go_through_json():
    read = spec()
    assert read.space.parameters[:4] == (
        KEEP,
        Float("rate", 0.01, 0.999, log=True),
        UNITS,
        Discrete("batch", (16, 32, 64)),
    )
    assert from_json(to_json(read)) == read
    nested = read.space.parameters[4]
    assert [holds(nested, {"batch": value}) for value in (16, 32, 64)] == [True, False, True]


@pytest.mark.parametrize(
    ("replace", "by", "expected"),
    [
        ("scale: log", "scale: logg", "parameters.rate.scale: found text 'logg' (did you mean 'log'?)"),
        ("scale: log", "scale: linear, log: true", "parameters.rate.scale: is linear beside log: true (remove log)"),
        ("scale: log", "scale: reverse_log, log: false", "is reverse_log beside log: false"),
        ("low: 0.01, high: 0.999, scale: reverse_log", "low: 0, high: 1, scale: reverse_log", "keep.low: is 0, expected a number above 0 because scale is reverse_log"),
        ("scale: reverse_log}", "scale: reverse_log, step: 0.1}", "keep.step: cannot stand there because scale is reverse_log"),
        ("[16, 32, 64]", "[16, 64, 32]", "parameters.batch.values: found a list [16, 64, 32], expected numbers in ascending order"),
        ("[16, 32, 64]", "[16, 16]", "expected numbers in ascending order"),
        ("[16, 32, 64]", "[16, a]", "found text 'a', expected finite numbers (type: categorical takes"),
        ("[16, 32, 64]", "16", "expected a list with at least one number"),
        ("{batch: [16, 64]}", "{batch: 20}", "parameters.nested.when: batch never is 20 (its values are 16, 32, 64)"),
        ("values:", "choices:", "parameters.batch.choices: unknown key 'choices'"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_with_its_place(replace, by, expected):
    assert replace in FILE
    with pytest.raises(InvalidInput) as caught:
        spec(FILE.replace(replace, by, 1))
    assert any(expected in str(problem) for problem in caught.value.problems), caught.value.problems


def test_a_population_moves_to_neighbours_and_draws_on_their_scale():
    chance = random.Random(0)
    assert {_moved(BATCH, 32, chance) for _ in range(50)} == {16, 100}
    assert {_moved(BATCH, 16, chance) for _ in range(50)} == {16, 32}
    values = [drawn(KEEP, chance) for _ in range(2000)]
    assert min(values) >= 0.01 and max(values) <= 0.999
    # Half of a logarithmic scale lies between the low end and the geometric mean; mirrored, at the top.
    middle = 0.01 + 0.999 - (0.01 * 0.999) ** 0.5
    assert sum(value > middle for value in values) == pytest.approx(1000, abs=100)
