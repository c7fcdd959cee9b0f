"""Budgets of a sweep and callbacks, each with a real sweep, and after a resume."""

import time

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.driver.peers import SharedDrivers
from tuner.operations.verify import verify_sweep
from tuner.study import read_study
from tuner.study.database import StudyLock
from tuner.study.reconnection import Reconnection
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow

SHORT = "{max_steps: 40, evaluate_every: 20}"


def run(file, root, display=None, overrides=(), storage="", **limits):
    sweep = tuner.Sweep.from_file(file, root, overrides=overrides, storage_url=storage)
    return sweep.session(RunOptions(workers=1, **limits), display or Lines()).run(), sweep


def test_a_budget_of_steps_counts_what_all_trials_trained_and_stands_after_a_resume(space_file, root):
    search = "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 20, budget: {steps: 100}}"
    file = space_file(train=SHORT, search=search)
    ran, sweep = run(file, root)
    trained = sum(t.record.trained for t in ran.result.trials)
    assert "the budget of 100 steps is spent" in ran.end.reason
    assert trained == 100
    assert len(ran.result.trials) < 6  # paused ones count, too
    again, _ = run(file, root)
    assert sum(t.record.trained for t in again.result.trials) == 100
    more, _ = run(file, root, overrides=["search.budget.steps=140"])
    assert sum(t.record.trained for t in more.result.trials) == 140
    assert verify_sweep(sweep.dir, more.result).differences == []


def test_steps_that_a_killed_process_trained_twice_count_twice(space_file, root, tmp_path):
    parameters = f"learning_rate: 0.01\nfault_at: 30\nfault_there: kill\nonce: {tmp_path / 'struck'}"
    ran, _ = run(space_file(train=SHORT, parameters=parameters, search="{sampler: random, trials: 1}"), root)
    (trial,) = ran.result.trials
    assert (trial.state, trial.record.attempts) == (TrialState.COMPLETE, 2)
    assert trial.record.trained >= 40  # what is known: the kill left no word of the steps after its checkpoint


def test_a_target_ends_the_sweep_at_the_step_that_shows_it_with_a_complete_trial(space_file, root):
    rates = "[{learning_rate: 0.001}, {learning_rate: 0.1}]"
    search = f"{{sampler: random, trials: 9, budget: {{target: 1.5}}, enqueue: {rates}}}"
    file = space_file(train="{max_steps: 400, evaluate_every: 20}", search=search)
    ran, sweep = run(file, root)
    assert "the target of 1.5 was reached" in ran.end.reason
    assert ran.exit_status == 0
    best = ran.result.best
    assert best.value <= 1.5 and best.record.step < 400
    assert "reached the target at step" in best.record.reason
    assert verify_sweep(sweep.dir, ran.result).differences == []
    again, _ = run(file, root)
    assert len(again.result.trials) == len(ran.result.trials)


def test_a_plateau_ends_the_sweep_and_is_counted_over_a_resume(space_file, root):
    rates = "[{learning_rate: 0.1}, {learning_rate: 0.002}, {learning_rate: 0.001}, {learning_rate: 0.003}]"
    search = f"{{sampler: random, trials: 9, budget: {{plateau: 2}}, enqueue: {rates}}}"
    file = space_file(train=SHORT, search=search)
    run(file, root, trials=2)
    ran, _ = run(file, root, trials=9)
    assert "no better trial among the last 2" in ran.end.reason
    assert len(ran.result.trials) == 3


def test_the_time_of_a_sweep_is_counted_over_all_calls(space_file, root):
    file = space_file(
        train=SHORT, parameters="learning_rate: 0.01\nsleep: 0.02", search="{sampler: random, trials: 50}"
    )
    ran, sweep = run(file, root, timeout_s=3.0)
    assert "the sweep's time of 3 s is over" in ran.end.reason and ran.exit_status in (0, 1)
    count = len(ran.result.trials)
    again, _ = run(file, root, timeout_s=3.0)
    assert "is over" in again.end.reason
    assert len(again.result.trials) == count
    assert verify_sweep(sweep.dir, again.result).differences == []


def test_a_driver_that_joins_others_has_the_time_that_they_left_of_the_sweeps(space_file, root):
    file = space_file(
        train=SHORT, parameters="learning_rate: 0.01\nsleep: 0.02", search="{sampler: random, trials: 50}"
    )
    storage = f"sqlite:///{root}/study.db"
    _, sweep = run(file, root, storage=storage, trials=1)
    lock = StudyLock(storage, sweep.spec.name, sweep.dir.study_lock_file, Reconnection())
    with SharedDrivers(sweep.dir, lock) as other:
        other.begin_work()
        time.sleep(3.0)
        ran, _ = run(file, root, storage=storage, timeout_s=3.0)
        assert "the sweep's time of 3 s is over" in ran.end.reason
        assert len(ran.result.trials) == 1
        other.end_work()
    assert read_study(sweep.dir, sweep.spec, storage).seconds >= 3.0


def test_a_callback_is_given_each_trial_that_ends_and_its_fault_is_said_and_loses_nothing(space_file, root):
    seen = []

    def callback(trial):
        seen.append((trial.number, trial.state, trial.value, trial.params["learning_rate"], trial.record.ended))
        if trial.number == 1:
            raise KeyError("no such key")

    sweep = tuner.Sweep.from_file(space_file(train=SHORT, search="{sampler: random, trials: 3}"), root)
    with pytest.warns(RuntimeWarning, match="on_trial_end failed for trial 1, and the sweep goes on: KeyError"):
        result = sweep.run(workers=1, on_trial_end=callback)
    assert seen == [(t.number, t.state, t.value, t.params["learning_rate"], t.record.ended) for t in result.trials]
    assert all(ended > 0 for *_, ended in seen)
    assert verify_sweep(sweep.dir, result).differences == []


def test_infeasible_parameters_of_an_input_function_prune_the_trial_with_the_models_words(space_file, root, tmp_path):
    model = tmp_path / "picky.py"
    model.write_text(
        "import tuner\nfrom tests.data.models.tiny import *\nfrom tests.data.models import tiny\n"
        "def train_input_fn(params):\n"
        "    if params['batch'] > 100:\n"
        "        raise tuner.Infeasible(f\"{params['batch']} rows do not fit\")\n"
        "    return tiny.train_input_fn(params)\n"
    )
    parameters = "learning_rate: 0.01\nbatch: {type: categorical, choices: [32, 512]}"
    search = "{sampler: tpe, trials: 2, enqueue: [{batch: 512}, {batch: 32}]}"
    ran, sweep = run(space_file(train=SHORT, model=model, parameters=parameters, search=search), root)
    assert [t.state for t in ran.result.trials] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert ran.result.trials[0].record.reason == "infeasible: 512 rows do not fit"
    assert verify_sweep(sweep.dir, ran.result).differences == []
