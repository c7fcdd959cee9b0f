"""The parameters section: scales and discrete values."""

from pathlib import Path

import pytest

from tests.space.spaces import KEEP, UNITS
from tuner.config import from_json, parse_spec, to_json
from tuner.errors import InvalidInput
from tuner.space import Discrete, Float
from tuner.space.conditions import holds

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


def spec(text=FILE):
    return parse_spec(text, "space.yaml", Path("/"), "stem", command=["true"])


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
        ("{type: int, low: 3, high: 700, scale: reverse_log}", "{min: 3, max: 700}", "parameters.units.min: unknown key 'min' (did you mean 'low'?)"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_with_its_place(replace, by, expected):
    assert replace in FILE
    with pytest.raises(InvalidInput) as caught:
        spec(FILE.replace(replace, by, 1))
    assert any(expected in str(problem) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{scale: reverse_log, log: yes, type: float, low: 0.01, high: 0.999}", "log: found text 'yes'"),
        ("{type: float, low: 0.01, high: 0.999, log: yes}", "expected true or false (write true)"),
        ("{choices: {adam, sgd}}", "expected a list with at least one choice (in brackets: [adam, sgd])"),
    ],
)
def test_what_another_notation_has_is_answered_with_ours(entry, said):
    with pytest.raises(InvalidInput) as error:
        spec(FILE.replace("{type: float, low: 0.01, high: 0.999, scale: log}", entry))
    assert said in str(error.value)
