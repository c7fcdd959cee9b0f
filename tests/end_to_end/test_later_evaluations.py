"""Somebody evaluates a trial in its own folder, between its attempts and after its end."""

import subprocess
import sys

import pytest

import tuner
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_requests import request_stop
from tuner.files.paths import SweepDir
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

EVALUATE = """
import sys
import tuner
tuner.install_estimator()
import tensorflow as tf
from tuner.testing import tiny_model

for name in (None, "test_rows"):
    rows = lambda: tiny_model.eval_input_fn({}).map(lambda x, y: (x, y + 5.0))
    estimator = tf.estimator.Estimator(tiny_model.model_fn, sys.argv[1], params={"learning_rate": 0.1})
    print(estimator.evaluate(rows, name=name)["rmse"])
"""


def evaluate(trial_dir):
    """Evaluate other rows, without a name and with one."""
    done = subprocess.run([sys.executable, "-c", EVALUATE, str(trial_dir)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(float(line) > 3.0 for line in done.stdout.splitlines()[-2:])


class StopsSweep(NullDisplay):
    """Ask the sweep to stop when it has begun a trial."""

    def __init__(self, sweep_dir: SweepDir):
        self.dir = sweep_dir

    def line(self, line):
        if ": running" in line:
            request_stop(self.dir.stop_file)


def test_what_somebody_evaluates_in_a_trials_folder_is_no_part_of_the_sweep(space_file, root):
    file = space_file(
        model="tuner.testing.tiny_model",
        parameters="learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\nsleep: 0.02",
        search="{sampler: random, trials: 1, seed: 1}",
    )
    sweep = tuner.Sweep.from_file(file, root)
    stopped = sweep.session(RunOptions(workers=1), StopsSweep(sweep.dir)).run().result.trials[0]
    assert stopped.state is TrialState.INTERRUPTED and 0 < stopped.record.step < 60
    evaluate(stopped.trial_dir)
    assert verify_sweep(sweep.dir, sweep.result()).differences == []

    sweep.session(RunOptions(workers=1), NullDisplay()).run()
    (complete,) = sweep.result().trials
    assert complete.state is TrialState.COMPLETE and sorted(complete.record.curve) == [20, 40, 60]
    assert max(complete.record.curve.values()) < 3.0 and complete.value < 3.0
    evaluate(complete.trial_dir)
    report = verify_sweep(sweep.dir, sweep.result())
    assert report.differences == []
    between, later = report.notes
    assert "event files in eval, eval_test_rows were begun while it did not run" in between
    assert "event files in eval, eval_test_rows were begun after it had ended" in later

    grown = sweep.session(RunOptions(workers=1, trials=2), NullDisplay()).run().result
    assert [trial.state for trial in grown.trials] == [TrialState.COMPLETE] * 2
    assert grown.trials[0].record.curve == complete.record.curve
    assert verify_sweep(sweep.dir, grown).differences == []
