"""When a sweep ends: by its trials, its time, its failures, its budget."""

import math

import pytest

from tuner.domain.objective import Goal
from tuner.domain.spec import Budget, SearchSettings
from tuner.domain.trial import TrialState
from tuner.driver.stop_criteria import StopCriteria, StopReason, meets_target, trials_used_up

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


def after(trials, goal=Goal.MINIMIZE, **search):
    """Return the criteria of a sweep whose trials ended as these: a state and an objective each."""
    criteria = StopCriteria(SearchSettings(**search), goal)
    for state, value in trials:
        criteria.count_finished(state, f"{value} went wrong", value)
    return criteria


@pytest.mark.parametrize(
    ("begun", "total", "trials", "reason"),
    [
        (8, 8, 8, "8 of 8 trials"),
        (4, 4, 8, "4 of 8 trials, all points of the grid"),
        (4, 9, 8, "4 of 8 trials"),
        (9, 9, 8, "9 trials, and 8 were asked for"),
        (1, 1, 1, "1 of 1 trials"),
        (2, 2, 1, "2 trials, and 1 was asked for"),
    ],
)
def test_a_sweep_without_trials_to_begin_says_of_how_many_it_had(begun, total, trials, reason):
    assert trials_used_up(begun, total, trials).reason == reason


@pytest.mark.parametrize(
    ("value", "target", "goal", "met"),
    [
        (0.5, 0.5, Goal.MINIMIZE, True),
        (0.51, 0.5, Goal.MINIMIZE, False),
        (0.51, 0.5, Goal.MAXIMIZE, True),
        (0.4, 0.5, Goal.MAXIMIZE, False),
        (0.0, None, Goal.MINIMIZE, False),
        (math.nan, 0.5, Goal.MINIMIZE, False),
    ],
)
def test_a_target_is_met_by_what_is_as_good(value, target, goal, met):
    assert meets_target(value, target, goal) is met


def test_a_limit_on_failures_ends_the_sweep_as_failed_when_it_is_exceeded():
    failed = [(FAIL, 1), (COMPLETE, 0.5), (FAIL, 2)]
    assert after(failed, max_failed_trials=2).reached(0.0) is None
    assert after(failed, max_failed_trials=1).reached(0.0) == StopReason(
        "2 trials failed (max_failed_trials: 1)", failed=True, limit="search.max_failed_trials"
    )


def test_failures_in_a_row_are_counted_anew_after_a_trial_that_did_not_fail():
    row = [(FAIL, 1), (FAIL, 2)]
    assert after([*row, (PRUNED, 3), *row], max_consecutive_failures=3).reached(0.0) is None
    assert after([*row, (FAIL, 7)], max_consecutive_failures=3).reached(0.0) == StopReason(
        "3 trials failed one after another, the last: 7 went wrong",
        failed=True,
        limit="search.max_consecutive_failures",
    )


def test_time_and_steps_are_over_when_they_are_spent():
    criteria = after([], timeout_s=60.0, budget=Budget(steps=1000))
    assert criteria.reached(59.9, steps=999) is None
    assert criteria.reached(60.0, steps=999) == StopReason("the sweep's time of 60 s is over", limit="--timeout")
    assert criteria.reached(0.0, steps=1000) == StopReason(
        "the budget of 1000 steps is spent", limit="search.budget.steps"
    )


def test_a_target_may_be_reached_by_a_trial_that_runs():
    criteria = after([(COMPLETE, 0.6), (FAIL, 0.1)], budget=Budget(target=0.5))
    assert criteria.reached(0.0, latest=[0.7]) is None
    assert criteria.reached(0.0, latest=[0.7, 0.4]) == StopReason("the target of 0.5 was reached")


def test_a_plateau_lets_those_that_run_end():
    budget = Budget(plateau=2)
    assert after([(COMPLETE, 0.5), (COMPLETE, 0.6)], budget=budget).reached(0.0) is None
    assert after([(COMPLETE, 0.5), (COMPLETE, 0.6), (COMPLETE, 0.4)], budget=budget).reached(0.0) is None
    assert after([(COMPLETE, 0.5), (COMPLETE, 0.6), (PRUNED, 0.1)], budget=budget).reached(0.0) == StopReason(
        "no better trial among the last 2", at_once=False, limit="search.budget.plateau"
    )
    assert after([(COMPLETE, 0.5), (COMPLETE, 0.6), (COMPLETE, 0.7)], Goal.MAXIMIZE, budget=budget).reached(0.0) is None


def test_a_value_that_is_no_number_is_no_improvement():
    found = after([(COMPLETE, math.inf), (COMPLETE, math.nan)], Goal.MAXIMIZE, budget=Budget(plateau=2)).reached(0.0)
    assert found.reason == "no better trial among the last 2"
