"""Rungs: where they are, who goes on, whose loss is kept."""

import math

import pytest

from tuner.domain.spec import TrainSettings
from tuner.schedulers.rungs import (
    FrontRung,
    Rung,
    check_halving,
    check_steps,
    halving_places,
    halving_steps,
    make_rungs,
    rung_steps,
)

TRAIN = TrainSettings(100, 10)


@pytest.mark.parametrize(
    ("eta", "min_steps", "steps"),
    [(3, None, [10, 30, 90]), (2, 20, [20, 40, 80]), (10, None, [10]), (3, 90, [90])],
)
def test_rungs_are_each_eta_times_the_one_before_and_below_the_end(eta, min_steps, steps):
    assert list(rung_steps(TRAIN, eta, min_steps)) == steps


def test_each_rung_knows_the_next_one_and_the_last_one_the_end():
    assert [(rung.step, rung.next_step) for rung in make_rungs(TRAIN, 3, None, "first")] == [
        (10, 30),
        (30, 90),
        (90, 100),
    ]
    assert {type(rung) for rung in make_rungs(TRAIN, 3, None, "nondominated")} == {FrontRung}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, []),
        ({"eta": 2, "min_steps": 30}, []),
        ({"eta": 1}, ["is 1, expected at least 2"]),
        ({"min_steps": 15}, ["is 15, but evaluations come every 10 steps"]),
        ({"min_steps": 5}, ["is 5, but evaluations come every 10 steps"]),
        ({"min_steps": 100}, ["is 100, and a trial ends at train.max_steps (100), before anything is judged"]),
    ],
)
def test_options_that_give_no_rungs_are_said(options, said):
    assert [problem.message for problem in check_halving(options, TRAIN)] == said


def test_a_number_of_steps_is_checked_under_its_own_key():
    (problem,) = check_steps("every", {"every": 7}, TRAIN)
    assert problem.where == "search.scheduler.every"


def filled(losses, rung=None):
    rung = rung or Rung(10, 30)
    for trial, loss in enumerate(losses):
        rung.add(trial, 10, loss if isinstance(loss, tuple) else (loss,))
    return rung


def test_one_in_three_goes_on_and_no_more_however_many_better_ones_come():
    rung = filled([0.5, 0.4])
    assert rung.best() == [] and not rung.promotes(1)
    rung.add(2, 10, (0.6,))
    assert rung.best() == [1] and rung.promotes(1) and not rung.promotes(0)
    rung.go_on(1)
    rung.add(3, 10, (0.1,))
    assert rung.best() == [3] and not rung.promotes(3)


def test_the_first_loss_of_a_trial_stands_and_what_is_no_number_is_last():
    rung = filled([math.nan, 0.9, 0.8])
    assert rung.add(2, 10, (0.1,)) and not rung.add(2, 20, (0.1,))
    assert rung.loss(2) == 0.8 and rung.best() == [2]
    assert rung.loss(0) == math.inf and rung.loss(7) == math.inf
    assert 0 in rung and 7 not in rung


def test_who_is_kept_is_at_least_one_and_those_that_are_as_good():
    assert filled([0.5]).keeps(0)
    rung = filled([0.5, 0.5, 0.6, 0.7])
    assert [rung.keeps(trial) for trial in range(4)] == [True, True, False, False]


def test_a_trial_that_did_not_come_here_takes_no_place():
    rung = filled([0.1, 0.2, 0.3])
    rung.go_on(9)
    assert rung.promotes(0)


def test_by_fronts_a_trial_goes_on_that_is_best_in_the_second_objective_alone():
    losses = [(0.1, 0.9), (0.9, 0.1), (0.95, 0.95), (1.0, 1.0), (1.1, 1.1), (1.2, 1.2)]
    rung = filled(losses, FrontRung(10, 30))
    assert sorted(rung.best()) == [0, 1]
    assert rung.keeps(1) and not rung.keeps(2)


def test_places_of_successive_halving_are_a_rungs_share_of_those_before_and_the_least_to_the_end():
    assert halving_places([1, 3, 10], 40) == [40, 13, 3]
    assert halving_places([1, 3, 10], 12, least=2) == [12, 4, 2]
    assert halving_places([10], 7) == [7]
    assert halving_places([1, 3, 10], 1, least=2) == [1, 1, 1]
    assert halving_steps([1, 3, 10], 40) == 40 + 13 * 2 + 3 * 7
