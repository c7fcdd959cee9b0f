"""What is no finite number, NaN or an infinity of either sign, loses against every number."""

import math

import pytest

from tuner.domain.objective import Constraint, Goal
from tuner.domain.pareto import nondominated, ranked_steps
from tuner.domain.spec import SearchSettings
from tuner.domain.trial import TrialState
from tuner.driver.stop_criteria import StopCriteria

ODD = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("odd", ODD)
def test_it_is_never_the_best_of_values_of_steps_or_of_trials(goal, odd):
    assert math.isnan(goal.loss(odd))
    assert goal.best([odd, 7.0, odd]) == 7.0
    assert ranked_steps({10: odd, 20: 7.0}, goal) == [20, 10]
    assert nondominated({0: [goal.loss(odd), 0.0], 1: [7.0, 1.0]}) == [1]


@pytest.mark.parametrize("odd", ODD)
def test_it_is_within_no_bound(odd):
    assert Constraint("size", low=0.0).violation(odd) == Constraint("size", high=0.0).violation(odd) == math.inf


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("odd", ODD)
def test_it_is_no_improvement_and_what_comes_after_it_is_one(goal, odd):
    from tuner.domain.spec import Budget

    criteria = StopCriteria(SearchSettings(budget=Budget(plateau=2)), goal)
    criteria.count_finished(TrialState.COMPLETE, "", odd)
    criteria.count_finished(TrialState.COMPLETE, "", 7.0)
    criteria.count_finished(TrialState.COMPLETE, "", odd)
    assert criteria.reached(0.0) is None
    criteria.count_finished(TrialState.COMPLETE, "", odd)
    assert criteria.reached(0.0) is not None
