"""Which step, and which trial, is best, also where values are NaN."""

import math
import random

import numpy as np
import pytest
from optuna.study._multi_objective import _fast_non_domination_rank

from tuner.domain.objective import Constraint, Goal
from tuner.domain.pareto import dominates, nondominated, order, places, ranked_steps

NAN = math.nan


@pytest.mark.parametrize(
    ("curve", "goal", "ranked"),
    [
        ({10: 3.0, 20: 1.0, 30: 2.0}, Goal.MINIMIZE, [20, 30, 10]),
        ({10: 3.0, 20: 1.0, 30: 2.0}, Goal.MAXIMIZE, [10, 30, 20]),
        ({10: NAN, 20: 1.0, 30: 2.0}, Goal.MINIMIZE, [20, 30, 10]),
        ({10: NAN, 20: 1.0, 30: 2.0}, Goal.MAXIMIZE, [30, 20, 10]),
        ({10: 1.0, 20: 1.0}, Goal.MINIMIZE, [10, 20]),
    ],
)
def test_steps_are_ranked_by_value_the_first_of_equals_first_and_nan_last(curve, goal, ranked):
    assert ranked_steps(curve, goal) == ranked


def test_what_breaks_a_constraint_at_its_step_ranks_behind_what_is_not_known_to():
    curve = {10: 3.0, 20: 1.0, 30: 2.0, 40: 2.5}
    bounds = (Constraint("size", high=5.0), Constraint("loss", high=2.2))
    curves = {"loss": curve, "size": {10: 4.0, 20: 6.0, 30: 5.0}}
    assert ranked_steps(curve, Goal.MINIMIZE, bounds[:1], curves) == [30, 40, 10, 20]
    assert ranked_steps(curve, Goal.MINIMIZE, bounds, curves) == [30, 20, 40, 10]


def test_an_empty_curve_has_no_best_step():
    assert ranked_steps({}, Goal.MINIMIZE) == []


def test_a_trial_dominates_another_that_is_nowhere_better_and_somewhere_worse():
    assert dominates([1.0, 2.0], [1.0, 3.0])
    assert not dominates([1.0, 2.0], [1.0, 2.0])
    assert not dominates([1.0, 3.0], [2.0, 2.0])


def test_the_front_is_of_trials_without_nan():
    losses = {0: [NAN, 0.0], 1: [1.0, 2.0], 2: [2.0, 1.0], 3: [2.0, 2.0], 4: [1.0, 2.0]}
    assert nondominated(losses) == [1, 2, 4]


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
