"""The median rule decides as Optuna's MedianPruner does on the same history."""

import math
import random

import optuna
import pytest

from tuner.domain.trial import Decision, TrialState
from tuner.schedulers.median import MedianScheduler

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize("interval", [1, 2])
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_decisions_equal_optunas_on_random_histories(warmup, interval, direction):
    chance = random.Random(7)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=warmup, interval_steps=interval)
    study = optuna.create_study(pruner=pruner, direction=direction)
    ours = MedianScheduler(startup_trials=4, warmup_steps=warmup, interval_steps=interval)
    stops = 0
    for number in range(60):
        trial = study.ask()
        state = TrialState.COMPLETE
        for step in range(1, 9):
            value = chance.choice([chance.random(), float("nan") if chance.random() < 0.1 else chance.random()])
            trial.report(value, step)
            decision = ours.report(number, step, [value if direction == "minimize" else -value])
            assert (decision is Decision.STOP) == trial.should_prune(), (number, step)
            if decision is Decision.STOP:
                state, stops = TrialState.PRUNED, stops + 1
                break
        study.tell(trial, None if state is TrialState.PRUNED else 1.0, state=optuna.trial.TrialState[state.value])
        ours.on_finished(number, state)
    assert stops > 5


def test_a_report_given_again_changes_nothing():
    ours = MedianScheduler(startup_trials=1)
    ours.report(0, 10, [1.0])
    ours.on_finished(0, TrialState.COMPLETE)
    assert ours.report(1, 10, [0.5]) is Decision.CONTINUE
    assert ours.report(1, 10, [0.5]) is Decision.CONTINUE


def test_the_median_of_fronts_stops_who_is_dominated_by_half_and_nobody_on_the_first_front():
    scheduler = MedianScheduler(startup_trials=1, rank="nondominated")
    for trial in range(5):
        scheduler.report(trial, 10, [float(trial), float(trial)])
        scheduler.on_finished(trial, TrialState.COMPLETE)
    assert scheduler.report(5, 10, [9.0, -1.0]) is Decision.CONTINUE
    assert scheduler.report(6, 10, [9.0, 9.0]) is Decision.STOP
    assert scheduler.report(7, 10, [math.nan, 9.0]) is Decision.STOP
