"""Sweeps with several objectives and with constraints, recorded, verified, stopped and gone on with."""

import json
import subprocess
import sys

import pytest

import tuner
from tests.displays import Lines
from tuner.config.manifest import read_manifest
from tuner.domain.trial import TrialState
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow

BOTH = "[{metric: rmse, goal: minimize}, {metric: loss, goal: maximize, of: best}]"


def run(file, root, display=None, **limits):
    sweep = tuner.Sweep.from_file(file, root)
    return sweep.session(RunOptions(**limits), display or Lines()).run(), sweep


def runs(sweep):
    recorded = MlflowReader(sweep.dir)
    found = recorded.runs_of_trials(read_manifest(sweep.dir).sweep_id)
    return {trial: recorded.read(run) for trial, (run,) in found.items()}


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii"])
def test_several_objectives_by_front_are_recorded_verified_and_resumed_with_all_their_curves(space_file, root, sampler):
    class StopAtFirstPause(Lines):
        def line(self, line):
            super().line(line)
            if "PAUSED" in line:
                sweep.dir.stop_file.touch()

    search = (
        f"{{sampler: {{name: {sampler}}}, scheduler: {{name: asha, eta: 2, rank: nondominated}}, trials: 6, seed: 1}}"
    )
    file = space_file(objective=BOTH, train="{max_steps: 40, evaluate_every: 20}", search=search)
    sweep = tuner.Sweep.from_file(file, root)
    stopped = sweep.session(RunOptions(workers=1), StopAtFirstPause()).run()
    assert stopped.end is None
    ran, sweep = run(file, root, workers=1)
    assert ran.exit_status == 0
    assert verify_sweep(sweep.dir, ran.result).differences == []
    complete = [t for t in ran.result.trials if t.state is TrialState.COMPLETE]
    assert complete and all(set(t.values) == {"rmse", "loss"} for t in complete)
    pruned = [t for t in ran.result.trials if t.state is TrialState.PRUNED]
    assert pruned and all(set(t.values) == {"rmse", "loss"} and set(t.record.others["loss"]) == {20} for t in pruned)
    front = {t.number for t in ran.result.front}
    assert front == {t.number for t in complete}  # a larger loss is a larger error: all are on the front
    for trial in ran.result.trials:
        metrics = runs(sweep)[trial.number].metrics
        assert {name for name in metrics if name.startswith("objective")} == {"objective/rmse", "objective/loss"}
    shown = subprocess.run(
        [sys.executable, "-m", "tuner", "best", "tiny", "--root", str(root), "--format", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {row["trial"] for row in json.loads(shown.stdout)} == front


def test_a_sampler_that_takes_one_objective_is_refused_with_those_that_take_several(space_file, root):
    with pytest.raises(tuner.InvalidInput, match=r"cmaes searches for one objective.*nsgaii"):
        run(space_file(objective=BOTH, search="{sampler: cmaes}"), root)


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii"])
def test_the_best_is_feasible_and_who_is_not_is_tagged_with_its_reason(space_file, root, sampler):
    rates = "[{learning_rate: 0.001}, {learning_rate: 0.1}, {learning_rate: 0.02}]"
    search = f"{{sampler: {sampler}, trials: 4, enqueue: {rates}}}"
    file = space_file(search=search)
    file.write_text(file.read_text() + "constraints: {loss: {min: 0.2, max: 20}}\n")
    ran, sweep = run(file, root, workers=1)
    assert verify_sweep(sweep.dir, ran.result).differences == []
    by_rmse = sorted(ran.result.trials, key=lambda t: t.value)
    assert by_rmse[0].feasible is False  # the lowest error is a loss below what is allowed
    assert ran.result.best.feasible is True
    assert (
        "infeasible: loss " in by_rmse[0].row()["reason"]
        and "at least 0.2 and at most 20" in by_rmse[0].row()["reason"]
    )
    for trial in ran.result.trials:
        assert trial.row()["constraints"] == {"loss": trial.record.others["loss"][60]}
        assert runs(sweep)[trial.number].tags["tuner.feasible"] == str(trial.feasible).lower()
    none = space_file(search="{sampler: random, trials: 1}", name="none")
    none.write_text(none.read_text() + "constraints: {loss: {max: 0}}\n")
    ran, _ = run(none, root)
    with pytest.raises(tuner.TunerError, match=r"no complete trial .* is feasible \(constraints: loss at most 0\)"):
        _ = ran.result.best


def test_a_constraint_whose_metric_never_comes_stops_the_sweep_with_the_tags_there(space_file, root):
    file = space_file(search="{sampler: random, trials: 3}")
    file.write_text(file.read_text() + "constraints: {latency: {max: 5}}\n")
    ran, _ = run(file, root, workers=1)
    assert ran.exit_status == 1
    assert "'latency' never came; tags that are there: loss, rmse" in ran.result.trials[0].record.reason
