"""Patience, and the percentile rule against Optuna's."""

import random

import optuna

from tuner.domain.objective import Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import make_scheduler
from tuner.schedulers.patience import PatienceScheduler
from tuner.space import Float, Space

optuna.logging.set_verbosity(optuna.logging.WARNING)


def test_a_trial_stops_after_so_many_evaluations_without_an_improvement():
    scheduler = PatienceScheduler(patience=2, min_delta=0.1)
    losses = [1.0, 0.8, 0.75, 0.6, 0.55, 0.52]
    decisions = [scheduler.report(0, step, [loss]) for step, loss in enumerate(losses)]
    assert decisions == [Decision.CONTINUE] * 5 + [Decision.STOP]


def test_a_report_given_again_is_not_counted_twice():
    scheduler = PatienceScheduler(patience=2)
    for _ in range(5):
        assert scheduler.report(0, 1, [1.0]) is Decision.CONTINUE
    assert scheduler.report(0, 2, [1.0]) is Decision.CONTINUE
    assert scheduler.report(0, 3, [float("nan")]) is Decision.STOP


def spec(scheduler):
    return SweepSpec(
        "s",
        (Objective("rmse"),),
        Space((Float("x", 0, 1),)),
        TrainSettings(8, 1),
        SearchSettings(scheduler=scheduler),
    )


def test_percentile_decides_as_optunas_does_on_random_histories():
    chance = random.Random(3)
    pruner = optuna.pruners.PercentilePruner(40.0, n_startup_trials=3)
    study = optuna.create_study(pruner=pruner)
    ours = make_scheduler(spec(Named("percentile", {"percentile": 40.0, "startup_trials": 3})))
    stops = 0
    for number in range(40):
        trial, state = study.ask(), TrialState.COMPLETE
        for step in range(1, 8):
            value = chance.random()
            trial.report(value, step)
            decision = ours.report(number, step, [value])
            assert (decision is Decision.STOP) == trial.should_prune()
            if decision is Decision.STOP:
                state, stops = TrialState.PRUNED, stops + 1
                break
        study.tell(trial, None if state is TrialState.PRUNED else 1.0, state=optuna.trial.TrialState[state.value])
        ours.on_finished(number, state)
    assert stops > 5


def test_patience_by_front_takes_a_better_second_objective_for_an_improvement():
    scheduler = PatienceScheduler(patience=2, rank="nondominated")
    losses = [(1.0, 1.0), (1.0, 0.9), (1.1, 0.8), (1.1, 0.95), (1.2, 0.8)]
    decisions = [scheduler.report(0, step, loss) for step, loss in enumerate(losses)]
    assert decisions == [Decision.CONTINUE] * 4 + [Decision.STOP]
