"""A trial as the study knows it, read from what Optuna holds."""

import pytest

from tuner.domain.objective import Objective
from tuner.domain.spec import SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.space.parameters import Float, Space
from tuner.study.frozen_trial import HeldTrial, anew, begun, number_of, record_of_held

SPEC = SweepSpec(
    "s",
    (Objective("rmse"), Objective("mae")),
    Space((Float("rate", 0.0, 1.0),), {"seed": 7}),
    TrainSettings(100, 10),
    SearchSettings(),
)


def held(number=4, state="RUNNING", values=None, **attributes):
    return HeldTrial(number, state, {"rate": 0.5}, {"rate": None}, values, {20: 2.0, 10: 3.0}, attributes, 5.0, 0.0)


def test_attributes_are_read_by_the_words_of_the_first_version():
    noted = {"state": "PAUSED", "reason": "at its rung", "lives": 3, "losses": 2, "failures": 1, "stop_at": 20}
    record = record_of_held(held(tuner=noted), SPEC)
    assert (record.number, record.state, record.reason) == (4, TrialState.PAUSED, "at its rung")
    assert (record.attempts, record.times_lost, record.failures, record.stop_at) == (3, 2, 1, 20)
    assert record.params == {"rate": 0.5, "seed": 7}
    assert list(record.curve.items()) == [(10, 3.0), (20, 2.0)]
    assert record.started == 5.0


def test_other_objectives_stand_in_an_attribute_for_each_step():
    record = record_of_held(held(**{"tuner.20": {"mae": 1.5, "size": 9.0}, "tuner.10": {"mae": 2.5}}), SPEC)
    assert record.others == {"mae": {10: 2.5, 20: 1.5}, "size": {20: 9.0}}
    assert list(record.others["mae"]) == [10, 20]


def test_values_are_what_was_noted_else_what_optuna_was_told():
    told = record_of_held(held(state="COMPLETE", values=[0.25, 0.75]), SPEC)
    assert (told.state, told.values) == (TrialState.COMPLETE, {"rmse": 0.25, "mae": 0.75})
    noted = record_of_held(held(state="FAIL", tuner={"state": "COMPLETE", "values": {"rmse": 0.5, "mae": 1.0}}), SPEC)
    assert (noted.state, noted.values) == (TrialState.COMPLETE, {"rmse": 0.5, "mae": 1.0})


@pytest.mark.parametrize(
    ("state", "noted", "told"),
    [("RUNNING", {}, True), ("RUNNING", {"state": "COMPLETE"}, False), ("COMPLETE", {"state": "COMPLETE"}, True)],
)
def test_a_finished_trial_of_which_optuna_knows_nothing_was_not_told(state, noted, told):
    assert record_of_held(held(state=state, tuner=noted), SPEC).told is told


def test_a_trial_that_runs_again_stands_for_the_one_that_failed():
    failed, other = held(1, state="FAIL", tuner={"reason": "it raised"}), held(2, state="COMPLETE")
    again, waiting = held(3, tuner={"number": 1, "state": "INTERRUPTED"}), held(4, state="WAITING")
    assert number_of(again) == 1
    found = list(begun([failed, other, again, waiting], SPEC))
    assert [(record.number, record.state) for record in found] == [
        (1, TrialState.INTERRUPTED),
        (2, TrialState.COMPLETE),
    ]


def test_a_trial_that_runs_again_keeps_what_was_noted_but_how_it_ended():
    noted = {
        "state": "FAIL",
        "reason": "it raised",
        "values": {},
        "driver": "a",
        "failures": 2,
        "losses": 1,
        "lives": 3,
    }
    attributes = {"tuner": {**noted, "tags": {"mine": "kept"}}, "tuner.10": {"mae": 1.0}}
    kept = {"state": "INTERRUPTED", "failures": 0, "losses": 0, "lives": 3, "tags": {"mine": "kept"}, "number": 6}
    assert anew(attributes, 6) == {"tuner": kept, "tuner.10": {"mae": 1.0}}
