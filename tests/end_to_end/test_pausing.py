"""Sweeps whose trials pause, are promoted, and take over each other's checkpoints."""

import pytest

import tuner
from tuner.domain.job import Job
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.events import read_all
from tuner.operations.verify import verify_sweep
from tuner.schedulers import scheduler_class
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow


def run(file, root, **limits):
    sweep = tuner.Sweep.from_file(file, root)
    return sweep.session(RunOptions(**limits), NullDisplay()).run(), sweep


def curves(result):
    return {t.number: dict(t.record.curve) for t in result.trials}


def test_a_promoted_trial_goes_on_as_one_that_never_paused_and_no_step_is_trained_twice(
    space_file, root, tmp_path, database
):
    import shutil

    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(database, other / "mlflow.db")
    train = "{max_steps: 80, evaluate_every: 20}"
    halved = "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 5, seed: 1}"
    whole = "{sampler: random, trials: 5, seed: 1}"
    ran, sweep = run(space_file(train=train, search=halved), root, workers=1)
    straight, _ = run(space_file(train=train, search=whole), other, workers=1)
    assert ran.exit_status == 0
    assert verify_sweep(sweep.dir, ran.result).differences == []
    states = [t.state for t in ran.result.trials]
    assert states.count(TrialState.COMPLETE) >= 1
    assert states.count(TrialState.PRUNED) >= 2
    expected = curves(straight.result)
    for number, curve in curves(ran.result).items():
        assert curve == {step: value for step, value in expected[number].items() if step in curve}
    promoted = [t for t in ran.result.trials if t.record.attempts > 1]
    assert promoted
    for trial in promoted:
        steps = [e.step for e in read_all(sweep.dir.trial(trial.number).path) if e.folder]
        assert steps == sorted(set(steps))
        trained = [e.step for e in read_all(sweep.dir.trial(trial.number).path) if not e.folder and "loss" in e.scalars]
        assert len(trained) == len(set(trained))
    assert all(
        "paused when the sweep ended" in t.record.reason for t in ran.result.trials if t.state is TrialState.PRUNED
    )


def test_a_population_replaces_its_worst_by_new_trials_from_the_bests_checkpoints(space_file, root):
    search = "{sampler: random, scheduler: {name: pbt, population: 3, every: 20, quantile: 0.3}, trials: 6, seed: 0}"
    ran, sweep = run(space_file(train="{max_steps: 60, evaluate_every: 20}", search=search), root, workers=2)
    assert ran.exit_status == 0
    assert verify_sweep(sweep.dir, ran.result).differences == []
    forked = [t for t in ran.result.trials if "tuner.forked_from" in t.record.tags]
    assert forked
    for trial in forked:
        tags = trial.record.tags
        at, donor = int(tags["tuner.forked_at"]), ran.result.trials[int(tags["tuner.forked_from"])]
        replaced = ran.result.trials[int(tags["tuner.replaces"])]
        assert replaced.state is TrialState.PRUNED and str(trial.number) in replaced.record.reason
        assert donor.record.curve[at] < replaced.record.curve[at]
        assert trial.record.curve[at] == donor.record.curve[at]  # the same weights, evaluated again
        assert trial.params != donor.params
    assert all(Job.read(sweep.dir.trial(t.number).job_file).trial == t.number for t in ran.result.trials)


@pytest.mark.parametrize("scheduler", ["hyperband", "asha_stopping", "percentile", "patience"])
def test_a_sweep_with_each_scheduler_ends_and_verifies(space_file, root, scheduler):
    search = f"{{sampler: tpe, scheduler: {scheduler}, trials: 5}}"
    ran, sweep = run(space_file(search=search), root, workers=2)
    assert ran.exit_status == 0
    assert len(ran.result.trials) == 5
    assert all(t.state.is_finished for t in ran.result.trials)
    assert verify_sweep(sweep.dir, ran.result).differences == []


def test_a_stopped_sweep_keeps_its_paused_trials_and_promotes_them_later(space_file, root):
    class StopAfter(NullDisplay):
        def __init__(self, sweep_dir):
            self.dir = sweep_dir

        def line(self, line):
            if "PAUSED" in line and line.startswith("trial 1:"):
                self.dir.stop_file.touch()

    train = "{max_steps: 80, evaluate_every: 20}"
    file = space_file(train=train, search="{sampler: random, scheduler: {name: asha, eta: 2}, trials: 4, seed: 1}")
    sweep = tuner.Sweep.from_file(file, root)
    first = sweep.session(RunOptions(workers=1), StopAfter(sweep.dir)).run()
    assert first.end is None
    assert TrialState.PAUSED in [t.state for t in first.result.trials]
    again, _ = run(file, root, workers=1)
    assert again.exit_status == 0
    assert all(t.state.is_finished for t in again.result.trials)
    assert TrialState.COMPLETE in [t.state for t in again.result.trials]
    assert verify_sweep(sweep.dir, again.result).differences == []


@pytest.mark.parametrize("scheduler", ["median", "asha"])
def test_a_resumed_sweep_tells_its_scheduler_of_every_trial_once(space_file, root, monkeypatch, scheduler):
    finished = []
    kind = scheduler_class(scheduler)
    finish = kind.on_finished

    def spy(self, trial, state):
        finished.append((trial, state))
        finish(self, trial, state)

    monkeypatch.setattr(kind, "on_finished", spy)
    file = space_file(search=f"{{sampler: random, scheduler: {scheduler}, trials: 4}}")
    run(file, root, workers=1, trials=2)
    finished.clear()
    ran, _ = run(file, root, workers=1, trials=4)
    told = [trial for trial, state in finished if state.is_finished]
    assert sorted(told) == [t.number for t in ran.result.trials] == [0, 1, 2, 3]
