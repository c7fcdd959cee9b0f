"""Several objectives: fronts as Optuna finds them, and schedulers that rank by them."""

import math
import random

import numpy as np
import pytest
from optuna.study._multi_objective import _fast_non_domination_rank

from tuner.domain.pareto import order, places
from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import Promotion
from tuner.schedulers.asha import AshaScheduler
from tuner.schedulers.asha_stopping import StoppingAshaScheduler
from tuner.schedulers.median import MedianScheduler
from tuner.schedulers.patience import PatienceScheduler
from tuner.schedulers.pbt import PbtScheduler
from tuner.space import Float, Space


@pytest.mark.parametrize("objectives", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_fronts_equal_optunas_on_random_losses(objectives, seed):
    chance = random.Random(seed)
    losses = {t: tuple(chance.choice([0.1, 0.2, chance.random()]) for _ in range(objectives)) for t in range(40)}
    expected = _fast_non_domination_rank(np.array(list(losses.values())))
    assert [places(losses)[trial] for trial in range(40)] == list(expected)


def test_the_order_goes_front_by_front_and_in_a_front_by_how_alone_a_trial_stands():
    losses = {0: (0.0, 1.0), 1: (1.0, 0.0), 2: (0.5, 0.5), 3: (0.51, 0.49), 4: (2.0, 2.0), 5: (0.1, 0.9)}
    assert order(losses, "nondominated")[:2] == [0, 1]  # the ends of the front
    assert order(losses, "nondominated")[-1] == 4
    assert order(losses, "first") == [0, 5, 2, 3, 1, 4]


def test_promotion_by_front_takes_who_is_best_in_the_second_objective_too():
    train = TrainSettings(9, 1)
    losses = {0: (0.1, 0.9), 1: (0.9, 0.1), 2: (0.2, 1.0), 3: (0.95, 0.95), 4: (1.0, 0.99), 5: (1.0, 1.0)}
    promoted = {}
    for rank in ("first", "nondominated"):
        asha = AshaScheduler(train, eta=3, rank=rank)
        for trial, loss in losses.items():
            asha.next_stop(trial, 0)
            asha.report(trial, 1, loss)
            asha.on_finished(trial, TrialState.PAUSED)
        found = []
        while isinstance(step := asha.next_resume(True), Promotion):
            found.append(step.trial)
            asha.next_stop(step.trial, 1)
        promoted[rank] = found
    assert promoted == {"first": [0, 2], "nondominated": [0, 1]}


def test_stopping_at_rungs_by_front_lets_a_trial_pass_that_is_best_in_something():
    by_first, by_front = (StoppingAshaScheduler(TrainSettings(9, 1), eta=2, rank=r) for r in ("first", "nondominated"))
    for scheduler in (by_first, by_front):
        assert scheduler.report(0, 1, [0.1, 0.9]) is Decision.CONTINUE
        assert scheduler.report(1, 1, [0.2, 1.0]) is Decision.STOP
        scheduler.report(2, 1, [0.15, 0.95])
    assert by_first.report(3, 1, [0.9, 0.1]) is Decision.STOP
    assert by_front.report(3, 1, [0.9, 0.1]) is Decision.CONTINUE


def test_the_median_of_fronts_stops_who_is_dominated_by_half_and_nobody_on_the_first_front():
    scheduler = MedianScheduler(startup_trials=1, rank="nondominated")
    for trial in range(5):
        scheduler.report(trial, 10, [float(trial), float(trial)])
        scheduler.on_finished(trial, TrialState.COMPLETE)
    assert scheduler.report(5, 10, [9.0, -1.0]) is Decision.CONTINUE
    assert scheduler.report(6, 10, [9.0, 9.0]) is Decision.STOP
    assert scheduler.report(7, 10, [math.nan, 9.0]) is Decision.STOP


def test_patience_by_front_takes_a_better_second_objective_for_an_improvement():
    scheduler = PatienceScheduler(patience=2, rank="nondominated")
    losses = [(1.0, 1.0), (1.0, 0.9), (1.1, 0.8), (1.1, 0.95), (1.2, 0.8)]
    decisions = [scheduler.report(0, step, loss) for step, loss in enumerate(losses)]
    assert decisions == [Decision.CONTINUE] * 4 + [Decision.STOP]


def test_a_population_by_front_replaces_the_one_that_is_dominated():
    space = Space((Float("x", 0.0, 1.0),))
    scheduler = PbtScheduler(TrainSettings(40, 10), space, 0, population=4, every=10, rank="nondominated")
    for trial, losses in enumerate([(0.1, 0.9), (0.9, 0.1), (0.5, 0.5), (0.6, 0.6)]):
        scheduler.on_begin(trial, {"x": 0.5})
        scheduler.report(trial, 10, losses)
        scheduler.on_finished(trial, TrialState.PAUSED)
    assert scheduler.next_resume(True).trial == 3
