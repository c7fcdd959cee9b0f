"""Conditions on numbers, ranges, and starting points: fitted to the space's own values, or refused with what can be."""

from pathlib import Path

import optuna
import pytest

from tuner.config import diff, from_json, parse_spec, to_json
from tuner.errors import Infeasible, InvalidInput
from tuner.space import Categorical, Float, Int, Range, Space
from tuner.space.conditions import holds, walk
from tuner.space.points import fitted_point
from tuner.study.encoding import store, suggest

FILE = """
objective: {metric: rmse}
parameters:
  drop: {type: float, low: 0.1, high: 0.4, step: 0.1}
  fi: {type: float, low: 0, high: 2, step: 1}
  k: {type: int, low: 0, high: 12, step: 4}
  rate: {type: float, low: 0.1, high: 1}
  size: {type: discrete, values: [0.1, 0.5, 3]}
  word: [a, b]
  pick: {type: categorical, choices: [0.0, 0.5, 3, [64, 32], null, true]}
  child: {type: int, low: 0, high: 1, when: WHEN}
  grandchild: {type: int, low: 0, high: 1, when: {child: 1, k: {min: 4}}}
train: {max_steps: 300, evaluate_every: 100}
"""


def spec(when, **search):
    text = FILE.replace("WHEN", when) + (f"search: {{enqueue: {search['enqueue']}}}" if search else "")
    return parse_spec(text, "space.yaml", Path("/"), "stem", command=["true"])


def child(when):
    return next(p for p in spec(when).space.parameters if p.name == "child")


@pytest.mark.parametrize(
    ("when", "there", "absent"),
    [
        ("{drop: 0.3}", {"drop": 0.1 + 2 * 0.1}, {"drop": 0.2}),
        ("{drop: {max: 0.3}}", {"drop": 0.1 + 2 * 0.1}, {"drop": 0.4}),
        ("{fi: 1}", {"fi": 1.0}, {"fi": 2.0}),
        ("{k: [4.0, 8]}", {"k": 8}, {"k": 12}),
        ("{k: {min: 5, max: 9}}", {"k": 8}, {"k": 4}),
        ("{rate: {min: 0.5}}", {"rate": 0.5}, {"rate": 0.4999}),
        ("{size: [3.0]}", {"size": 3}, {"size": 0.5}),
        ("{pick: 0}", {"pick": 0.0}, {"pick": 0.5}),
        ("{pick: [[64.0, 32]]}", {"pick": [64, 32]}, {"pick": None}),
        ("{pick: {min: 0.2}}", {"pick": 3}, {"pick": True}),
        ("{pick: null, k: 4}", {"pick": None, "k": 4}, {"pick": None, "k": 8}),
    ],
)
def test_a_condition_on_a_number_holds_if_the_number_is_drawn(when, there, absent):
    parameter = child(when)
    assert holds(parameter, there) and not holds(parameter, absent) and not holds(parameter, {})


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{k: 2}", "k never is 2 (it goes from 0 to 12 in steps of 4)"),
        ("{k: {min: 5, max: 7}}", "k never is from 5 to 7 (it goes from 0 to 12 in steps of 4)"),
        ("{k: {min: 13}}", "k never is at least 13"),
        ("{rate: 0.5}", "rate is continuous, so it is practically never 0.5: expected a range, as {rate: {min: 0.5}}"),
        ("{rate: {min: 1}}", "rate never is at least 1"),
        ("{size: {min: 1, max: 2}}", "size never is from 1 to 2 (its values are 0.1, 0.5, 3)"),
        ("{pick: 1}", "pick never is 1 (its choices are 0.0, 0.5, 3, [64, 32], None, True)"),
        ("{k: '4'}", "k never is '4', expected 4 without quotes"),
        ("{k: {low: 4}}", "child.when.k: found a mapping {'low': 4}, expected a range as {min: 2}"),
        ("{k: {min: .nan}}", "child.when.k.min: found the number nan, expected a finite number"),
        ("{k: []}", "child.when.k: is an empty list"),
        ("{k: 0}", "grandchild.when: needs k at least 4, and child is there only if k is 0"),
    ],
)
def test_what_can_never_be_is_refused_with_what_can_be(when, expected):
    with pytest.raises(InvalidInput) as caught:
        spec(when)
    assert len(caught.value.problems) == 1 and expected in str(caught.value.problems[0]), caught.value.problems


def test_ranges_go_through_json_and_a_changed_one_is_a_difference():
    read = spec("{drop: {max: 0.3}, k: [4, 8]}")
    assert from_json(to_json(read)) == read
    assert diff(read, from_json(to_json(read))) == ([], [])
    assert len(diff(read, spec("{drop: {max: 0.2}, k: [4, 8]}"))[1]) == 1


def test_a_sweep_that_was_frozen_with_a_condition_as_it_was_written_has_it_hold_now():
    frozen = to_json(spec("{drop: 0.3}"))
    (entry,) = [p for p in frozen["space"]["parameters"] if p["name"] == "child"]
    entry["when"] = {"drop": [0.3]}
    assert diff(from_json(frozen), spec("{drop: 0.3}")) == ([], [])


def test_a_point_is_fitted_by_the_function_that_checks_it():
    read = spec("{k: 8}", enqueue="[{pick: 0, k: 8.0, size: 3.0}, {pick: [64.0, 32.0]}, {pick: 3.0, drop: 0.3}]")
    first, second, third = read.search.enqueue
    assert list(map(repr, first.values())) == ["0.0", "8", "3"]
    assert repr(second) == "{'pick': [64, 32]}" and third == {"pick": 3, "drop": 0.1 + 2 * 0.1}
    study = optuna.create_study()
    for point in read.search.enqueue:
        study.enqueue_trial(store(point, read.space))
    for point in read.search.enqueue:
        trial = study.ask()
        drawn = walk(read.space, lambda parameter, trial=trial: suggest(trial, parameter))
        assert {name: drawn[name] for name in point} == point


def test_a_point_that_an_earlier_version_left_in_the_queue_is_fitted_or_pruned():
    space = Space((Categorical("units", (64, 128)),))
    study = optuna.create_study()
    study.enqueue_trial({"units": "json:64.0"})  # what a whole number written as a float became
    study.enqueue_trial({"units": 65})
    trials = [study.ask(), study.ask()]
    assert walk(space, lambda parameter: suggest(trials[0], parameter)) == {"units": 64}
    with pytest.raises(Infeasible, match="units: 65 is none of the choices 64, 128"):
        walk(space, lambda parameter: suggest(trials[1], parameter))


def test_steps_that_do_not_come_to_the_upper_bound_are_drawn_without_a_word(recwarn):
    space = Space((Float("x", 0.0, 1.0, step=0.3), Int("k", 0, 10, step=4)))
    trial = optuna.create_study().ask()
    walk(space, lambda parameter: suggest(trial, parameter))
    assert not [str(warning.message) for warning in recwarn if "step" in str(warning.message)]


def test_a_point_says_all_that_is_wrong_with_it():
    space = Space((Int("k", 0, 8, step=4), Float("x", 0, 1, when={"k": Range(4)})), {"c": 1})
    fitted, wrong = fitted_point({"k": 0.0, "x": 0.5, "c": 1, "y": 2}, space)
    assert fitted == {"k": 0} and list(wrong) == ["c", "y", "x"]
    assert wrong["x"] == "is there if k is at least 4, and this point has 0 (leave one out)"
