"""Sweeps that train each set of parameters with several seeds, with a real Estimator."""

import json
import statistics
import subprocess
import sys

import mlflow
import pytest

import tuner
from tests.end_to_end.test_sweeps import Lines, history
from tuner.domain.trial import TrialState
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow

SHORT = "{max_steps: 40, evaluate_every: 20}"
KILLED = """
import os, sys
import tuner
from tuner.driver.progress import NullDisplay

class Kill(NullDisplay):
    def line(self, line):
        if line.startswith("trial 3: running"):
            os.kill(os.getpid(), 9)

tuner.Sweep.from_file(sys.argv[1], sys.argv[2]).run(workers=1, display=Kill())
"""


def tuner_command(*arguments):
    done = subprocess.run([sys.executable, "-m", "tuner", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_set_goes_by_the_mean_of_its_seeds_and_a_driver_killed_in_the_middle_of_one_changes_nothing(space_file, root):
    search = "{sampler: tpe, trials: 6, repeats: 2, seed: 1}"
    calm, broken = (space_file(train=SHORT, search=search, name=name) for name in ("calm", "broken"))
    sweep = tuner.Sweep.from_file(calm, root)
    result = sweep.run(workers=1)
    assert [t.state for t in result.trials] == [TrialState.COMPLETE] * 6
    assert [t.record.tags.get("tuner.repeat_of") for t in result.trials] == [None, "0", None, "2", None, "4"]
    pairs = list(zip(result.trials[::2], result.trials[1::2], strict=True))
    assert all(one.params == other.params and one.value != other.value for one, other in pairs)
    means = [statistics.fmean((one.value, other.value)) for one, other in pairs]
    best = result.best
    assert best.number == 2 * means.index(min(means))
    assert best.row()["mean"] == min(means) and best.row()["seeds"] == 2

    rows = json.loads(tuner_command("show", "calm", "--root", str(root), "--format", "json"))
    assert [row["repeat_of"] for row in rows] == [None, 0, None, 2, None, 4]
    assert [row["mean"] for row in rows[::2]] == means
    assert rows[best.number]["spread"] == statistics.stdev(row["values"]["rmse"] for row in rows[best.number :][:2])
    assert "spread" in tuner_command("best", "calm", "--root", str(root))

    client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    for trial in result.trials:
        tags = client.get_run(trial.run_id).data.tags
        assert (float(tags["tuner.mean"]), float(tags["tuner.spread"])) == (trial.group.mean, trial.group.spread)
    parent = client.get_run(client.get_run(best.run_id).data.tags["mlflow.parentRunId"]).data
    assert parent.tags["tuner.best_trial"] == str(best.number)
    assert parent.metrics["best_objective"] == min(means)
    assert verify_sweep(sweep.dir, result).differences == []

    killed = subprocess.run([sys.executable, "-c", KILLED, str(broken), str(root)], check=False)
    assert killed.returncode == -9
    assert len(tuner.Sweep.open("broken", root).result().trials) == 4  # the second one of a set runs
    resumed = tuner.Sweep.open("broken", root)
    again = resumed.run(workers=1, display=Lines())
    assert history(again) == history(result)
    assert again.best.number == best.number
    assert verify_sweep(resumed.dir, again).differences == []


def test_no_single_seed_ends_a_sweep_that_is_after_a_mean(space_file, root):
    rates = "[{learning_rate: 0.001}, {learning_rate: 0.1}]"
    search = f"{{sampler: random, trials: 8, repeats: 2, budget: {{target: 1.2}}, enqueue: {rates}}}"
    sweep = tuner.Sweep.from_file(space_file(train=SHORT, search=search), root)
    ran = sweep.session(RunOptions(workers=1), Lines()).run()
    assert ran.end.reason == "the target of 1.2 was reached"
    assert len(ran.result.trials) == 4
    assert ran.result.best.params["learning_rate"] == 0.1
    assert all(t.record.step == 40 for t in ran.result.trials)  # none was cut off at the step that showed it
