"""Parameters that change nothing are named, once."""

import json

import pytest

import tuner
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.progress import NullDisplay
from tuner.driver.unused_parameters import UnusedParameters
from tuner.sweep import RunOptions

CURVE = {20: 0.5, 40: 0.25}


def record(number, params, curve=CURVE, others=None, unread=(), state=TrialState.COMPLETE):
    tags = {"tuner.unread": json.dumps(list(unread))} if unread else {}
    return TrialRecord(number, state, params, curve=curve, others=others or {}, tags=tags)


def test_trials_of_one_curve_and_other_parameters_are_said_once():
    unused = UnusedParameters(["rate", "units"])
    assert unused.add(record(0, {"rate": 1e-6, "units": 4})) == ""
    assert unused.add(record(1, {"rate": 1e-6, "units": 4})) == ""
    line = unused.add(record(2, {"rate": 1.0, "units": 4}))
    assert line.startswith("trials 0 and 2 have the same curve to the last bit though their parameters differ")
    assert "(rate: 1e-06 and 1.0)" in line
    assert unused.add(record(3, {"rate": 0.5, "units": 4})) == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_curves_that_are_no_numbers_prove_nothing(value):
    unused = UnusedParameters(["rate"])
    for curve in ({20: value, 40: value}, {20: 0.5, 40: value, 60: value}):
        assert [unused.add(record(n, {"rate": float(n)}, curve=curve)) for n in (0, 1)] == ["", ""]
    assert unused.add(record(2, {"rate": 2.0})) == "" and unused.add(record(3, {"rate": 3.0}))


@pytest.mark.parametrize(
    "other",
    [{"curve": {20: 0.5}}, {"curve": {20: 0.5, 40: 0.25000001}}, {"others": {"accuracy": {20: 1.0}}}, {"curve": {}}],
)
def test_curves_that_differ_or_are_one_value_are_not_said(other):
    unused = UnusedParameters(["rate"])
    for number in (0, 1):
        assert unused.add(record(number, {"rate": float(number)}, **(other if number else {}))) == ""
    one = UnusedParameters(["rate"])
    assert [one.add(record(n, {"rate": float(n)}, curve={20: 0.5})) for n in (0, 1)] == ["", ""]


def test_what_no_complete_trial_has_read_is_said():
    unused = UnusedParameters(["rate", "momentum"])
    first = record(0, {}, unread=["momentum", "rate"])
    assert len(list(unused.unread([first]))) == 2
    (line,) = unused.unread([first, record(1, {}, unread=["rate"]), record(2, {}, state=TrialState.PRUNED)])
    assert line == "no trial has read the parameter 'rate': is it spelled so in the model?"
    assert list(unused.unread([first, record(1, {})])) == []
    assert list(unused.unread([])) == []


@pytest.mark.slow
@pytest.mark.tf
def test_a_sweep_says_which_parameter_its_model_does_not_read(space_file, root):
    class Lines(NullDisplay):
        def line(self, line):
            lines.append(line)

    lines = []
    parameters = (
        "learning_rate: {type: float, low: 0.001, high: 0.1}\nrate: {type: float, low: 0.1, high: 0.2}\nfault: ''"
    )
    file = space_file(parameters=parameters, train="{max_steps: 2, evaluate_every: 1}")
    tuner.Sweep.from_file(file, root).session(RunOptions(backend="inline"), Lines()).run()
    assert [line for line in lines if "no trial has read" in line] == [
        "note: no trial has read the parameter 'rate': is it spelled so in the model?"
    ]
