"""Failed trials run again under their numbers, one trial of a running sweep is ended."""

import json
import subprocess
import sys

import pytest

import tuner as package
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_requests import request_stop
from tuner.operations.verify import verify_sweep

MODEL = """
from tuner.testing.tiny_model import *
from tuner.testing import tiny_model

def model_fn(features, labels, mode, params):
    if params["learning_rate"] > {limit}:
        raise ValueError("a mistake")
    return tiny_model.model_fn(features, labels, mode, params)
"""
SIMULATED = """
name: sim
objective: {metric: rmse}
parameters: {rate: {type: float, low: 1.0e-4, high: 1.0, log: true}}
train: {max_steps: 100, evaluate_every: 10}
search: {sampler: random, trials: 3, workers: 1}
simulation: {task: surface, record: false}
"""


def tuner(*arguments, **kwargs):
    command = [sys.executable, "-m", "tuner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


@pytest.mark.slow
def test_after_a_mistake_in_the_model_the_ways_on_are_named_and_retry_runs_its_trials_again(space_file, root, tmp_path):
    model = tmp_path / "mended.py"
    model.write_text(MODEL.format(limit=0))
    file = space_file(model=model)
    failed = tuner("run", file, "--root", root)
    assert failed.returncode == 1
    model.write_text(MODEL.format(limit=1))
    stuck = tuner("run", file, "--root", root)
    for way in ("tuner retry tiny", "tuner delete tiny"):
        assert way in stuck.stderr
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    done = tuner("retry", "tiny", "--root", root)
    assert done.returncode == 0, done.stderr
    again = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    kept = ("trial", "params", "run_id", "trial_dir")
    assert [[row[k] for k in kept] for row in again[: len(rows)]] == [[row[k] for k in kept] for row in rows]
    assert [(row["state"], row["reason"], row["step"]) for row in again] == [("COMPLETE", "", 60)] * 3
    verified = tuner("verify", "tiny", "--root", root)
    assert verified.returncode == 0, verified.stdout
    nothing = tuner("retry", "tiny", "--root", root)
    assert nothing.returncode == 2 and "no trial of it has failed" in nothing.stderr


class StopsTrial(NullDisplay):
    """Ask that trial 1 is ended when the sweep shows that it has been evaluated."""

    def __init__(self, sweep):
        self.sweep, self.lines = sweep, []

    def line(self, line):
        self.lines.append(line)
        if line.startswith("trial 1: running"):
            file = self.sweep.dir.stop_trial_file(1)
            file.parent.mkdir()
            request_stop(file)


def test_a_trial_that_is_stopped_by_name_is_pruned_and_the_sweep_goes_on(tmp_path):
    file = tmp_path / "sim.yaml"
    file.write_text(SIMULATED)
    sweep = package.Sweep.from_file(file, tmp_path)
    display = StopsTrial(sweep)
    result = sweep.run(backend="simulated", display=display)
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    assert result.trials[1].record.reason.startswith("by tuner stop ")
    assert not sweep.dir.stop_trial_file(1).exists()
    assert not verify_sweep(sweep.dir, result).differences
