"""A trial stops that falls behind a percentile of the completed ones."""

import math

import pytest

from tuner.domain.trial import Decision, TrialState
from tuner.schedulers.percentile import PercentileScheduler, _percentile

CONTINUE, STOP = Decision.CONTINUE, Decision.STOP


def completed(losses, step=10, **options):
    scheduler = PercentileScheduler(**{"startup_trials": 4, **options})
    for trial, loss in enumerate(losses):
        scheduler.report(trial, step, [loss])
        scheduler.on_finished(trial, TrialState.COMPLETE)
    return scheduler


@pytest.mark.parametrize(
    ("numbers", "percent", "expected"),
    [([], 25.0, None), ([3.0], 25.0, 3.0), ([1.0, 2.0, 3.0, 4.0, 5.0], 25.0, 2.0), ([1.0, 2.0], 25.0, 1.25)],
)
def test_a_percentile_is_linear_between_neighbours(numbers, percent, expected):
    assert _percentile(numbers, percent) == expected


@pytest.mark.parametrize(
    ("percentile", "loss", "decision"), [(25.0, 2.0, CONTINUE), (25.0, 2.1, STOP), (75.0, 4.0, CONTINUE)]
)
def test_who_is_as_good_as_the_percentile_goes_on(percentile, loss, decision):
    scheduler = completed([1.0, 2.0, 3.0, 4.0, 5.0], percentile=percentile)
    assert scheduler.report(9, 10, [loss]) is decision


def test_nobody_is_stopped_before_there_are_enough_complete_trials_or_steps():
    assert completed([1.0, 2.0, 3.0]).report(9, 10, [9.0]) is CONTINUE
    assert completed([1.0, 2.0, 3.0, 4.0], warmup_steps=11).report(9, 10, [9.0]) is CONTINUE


def test_the_best_evaluation_so_far_counts_and_the_last_one_if_there_is_no_number():
    scheduler = completed([1.0, 2.0, 3.0, 4.0, 5.0])
    assert scheduler.report(9, 5, [0.5]) is CONTINUE  # no completed trial was evaluated there
    assert scheduler.report(9, 10, [9.0]) is CONTINUE
    assert scheduler.report(8, 10, [math.nan]) is STOP


def test_a_trial_is_judged_once_in_an_interval():
    scheduler = completed([1.0, 2.0, 3.0, 4.0, 5.0], interval_steps=20)
    assert scheduler.report(9, 5, [9.0]) is CONTINUE
    assert scheduler.report(9, 10, [9.0]) is CONTINUE  # steps 0 to 19 are one interval


def test_trials_that_were_pruned_or_failed_set_no_bar():
    scheduler = completed([1.0, 2.0, 3.0, 4.0, 5.0], percentile=0.0)
    scheduler.report(7, 10, [0.1])
    scheduler.on_finished(7, TrialState.PRUNED)
    assert scheduler.report(9, 10, [1.0]) is CONTINUE


def test_a_trial_with_other_steps_is_compared_with_what_the_completed_ones_had_last():
    scheduler = PercentileScheduler(startup_trials=4, percentile=50.0)
    for trial, loss in enumerate([0.1, 0.2, 0.3, 0.4, 0.5]):
        for step in (100, 200, 300):
            scheduler.report(trial, step, [loss + 100 / step])
        scheduler.on_finished(trial, TrialState.COMPLETE)
    assert scheduler.report(8, 90, [9.0]) is CONTINUE  # nobody was evaluated so early
    assert scheduler.report(8, 120, [1.31]) is STOP  # the median is 1.3 at step 100
    assert scheduler.report(9, 120, [1.29]) is CONTINUE
    assert scheduler.report(9, 290, [0.81]) is STOP
