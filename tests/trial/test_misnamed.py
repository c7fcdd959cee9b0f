"""A model that calls a parameter otherwise than the search space is answered with the names that there are."""

from types import SimpleNamespace

import pytest

from tuner.model.noted_params import NotedParams
from tuner.trial.misnamed import misnamed

PARAMS = {"dpeth": 3, "rate": 0.1}
NEAR = "; the trial has no parameter 'depth', it has dpeth, rate: if 'dpeth' is meant, write it alike in model and "
OWN = "; 'dpeth' is a parameter of the search space: is it called so in the model?"


def error_of(call):
    with pytest.raises((KeyError, TypeError, AttributeError)) as caught:
        call()
    return caught.value


def build(depth, rate=0.1):
    return depth, rate


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: NotedParams(PARAMS)["depth"], f"{NEAR}search space"),
        (lambda: PARAMS["depth"], f"{NEAR}search space"),
        (lambda: SimpleNamespace(**PARAMS).depth, f"{NEAR}search space"),
        (lambda: build(**{"rate": 0.1}), f"{NEAR}search space"),
        (lambda: build(**PARAMS, depth=3), OWN),
        (lambda: NotedParams(PARAMS)["units"], "; the trial has no parameter 'units', it has dpeth, rate"),
        (lambda: {"x": 1}["units"], ""),
        (lambda: {}[7], ""),
        (lambda: "".depth, ""),
        (lambda: build(rate=0.1, depht=3), ""),
    ],
)
def test_neither_name_is_called_the_right_one(call, said):
    assert misnamed(error_of(call), list(PARAMS)) == said


def test_one_of_a_row_of_names_is_no_misspelling_of_another():
    error = error_of(lambda: NotedParams({"units_1": 8})["units_2"])
    assert misnamed(error, ["units_1"]) == "; the trial has no parameter 'units_2', it has units_1"
