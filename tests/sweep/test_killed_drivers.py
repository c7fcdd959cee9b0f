"""A sweep whose driver was killed goes on as one whose driver was not."""

import subprocess
import sys

import pytest

import tuner
from tests.displays import Lines
from tuner.sweep import RunOptions

SPACE = """
name: sim
objective: {metric: rmse}
parameters: {rate: {type: float, low: 1.0e-4, high: 1.0, log: true}, units: {type: int, low: 16, high: 256}}
train: {max_steps: 270, evaluate_every: 10}
search: {sampler: tpe, scheduler: asha, trials: 40, workers: 1}
simulation: {task: surface, record: false, noise: 0.02}
"""

KILLED = """
import os, sys
from pathlib import Path
import tuner
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions

class Killed(NullDisplay):
    def line(self, line):
        if line.startswith(sys.argv[2]):
            os._exit(9)

file = Path(sys.argv[1])
tuner.Sweep.from_file(file, file.parent).session(RunOptions(backend="simulated"), Killed()).run()
"""


@pytest.fixture
def run(tmp_path):
    """Returns what the trials of a sweep are, and what its last driver said; a driver before is killed at a line."""

    def run_(name, search, killed_at=""):
        folder = tmp_path / name
        folder.mkdir()
        file = folder / "sim.yaml"
        file.write_text(SPACE.replace("sampler: tpe, scheduler: asha, trials: 40, workers: 1", search))
        if killed_at:
            done = subprocess.run([sys.executable, "-c", KILLED, str(file), killed_at], check=False)
            assert done.returncode == 9
        lines = Lines()
        result = tuner.Sweep.from_file(file, folder).session(RunOptions(backend="simulated"), lines).run().result
        return [(t.number, t.state, t.record.step, dict(t.params), dict(t.values)) for t in result.trials], lines.lines

    return run_


def test_the_sampler_learns_from_a_trial_whose_driver_was_killed_at_its_rung(run):
    search = "sampler: tpe, scheduler: asha, trials: 40, workers: 1"
    whole, lines = run("whole", search)
    paused = next(line for line in lines if line.startswith("trial 25: PAUSED"))
    again, lines = run("killed", search, paused)
    assert lines[1] == paused
    assert again == whole
