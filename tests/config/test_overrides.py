"""A mapping that --set replaced is said to be replaced where a mistake comes of it."""

import pytest

from tests.spaces import SIMULATED
from tuner.config.load import parse_spec
from tuner.config.overrides import give_way, parts_meant
from tuner.errors import InvalidInput

VALUES = {"parameters": {"rate": {"type": "float", "low": 0.1, "high": 1}}, "train": {"max_steps": 3}}


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("parameters.rate={low: 1e-4}", "--set parameters.rate.low=0.0001"),
        ("parameters.rate={type: int, low: 1}", "--set parameters.rate.type=int --set parameters.rate.low=1"),
        ("parameters={units: [1, 2]}", "--set 'parameters.units=[1, 2]'"),
    ],
)
def test_the_parts_of_a_smaller_mapping_are_named(override, hint):
    path = override.partition("=")[0]
    assert parts_meant(VALUES, [override]) == {path: f"--set {path} replaces all of it; to set a part: {hint}"}


@pytest.mark.parametrize(("name", "hint"), [("rat", ": did you mean 'rate'?"), ("xyz", "")], ids=["near", "not near"])
def test_a_part_of_a_parameter_that_is_not_there_is_said(name, hint):
    said = f"the file has no parameter {name!r} to set a part of{hint}"
    assert parts_meant(VALUES, [f"parameters.{name}.low=1"]) == {f"parameters.{name}": said}
    assert parts_meant(VALUES, [f"parameters.{name}={{low: 1}}", "train.xyz.low=1"]) == {}


@pytest.mark.parametrize(
    "override",
    [
        "parameters.rate.low=1",
        "parameters.rate={type: int, low: 1, high: 3}",
        "parameters.rate={}",
        "parameters.rate=3",
        "parameters.units={type: int}",
        "parameters.rate={low: ",
        "train",
    ],
)
def test_other_overrides_replace_nothing(override):
    assert parts_meant(VALUES, [override]) == {}


def test_the_mistakes_that_come_of_it_say_so_once(tmp_path):
    with pytest.raises(InvalidInput) as error:
        parse_spec(SIMULATED, "sim.yaml", tmp_path, overrides=["parameters.units={type: int}", "search.trials=x"])
    hints = {problem.where: problem.hint for problem in error.value.problems}
    replaced = "--set parameters.units replaces all of it; to set a part: --set parameters.units.type=int"
    assert hints["parameters.units.low"] == replaced
    assert hints["parameters.units.high"] == hints["search.trials"] == ""


PAIR, METHOD = {"sampler": "tpe", "scheduler": "asha", "seed": 1}, {"method": "freeze_thaw", "seed": 1}


@pytest.mark.parametrize(
    ("search", "overrides", "left", "said"),
    [
        (
            PAIR,
            ["search.method=freeze_thaw"],
            ["seed"],
            ["search.method stands in the place of search.sampler and search.scheduler"],
        ),
        (METHOD, ["search.scheduler.name=asha"], ["seed"], ["search.scheduler stands in the place of search.method"]),
        (METHOD, ["search.sampler=random", "search.method=null"], ["method", "seed"], []),
        (
            PAIR,
            ["search.method=freeze_thaw", "search.sampler=gp"],
            ["sampler", "seed"],
            ["search.method stands in the place of search.scheduler"],
        ),
        (PAIR, ["search.method=null", "search.seed=2"], ["sampler", "scheduler", "seed"], []),
        (None, ["search.method=freeze_thaw"], [], []),
    ],
)
def test_what_is_set_takes_the_place_of_what_cannot_stand_beside_it(search, overrides, left, said):
    values = {"search": search and dict(search)}
    assert give_way(values, overrides) == [f"--set {line}" for line in said]
    assert list(values["search"] or ()) == left
