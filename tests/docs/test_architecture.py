"""The page on the architecture: its examples run, and its rooms are those that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.domain.trial import TrialState

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def write_examples(folder):
    """Write the page's modules as their first lines name them."""
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL):
        (folder / name).write_text(code)


def test_the_rooms_of_the_page_are_those_of_the_package():
    package = Path(tuner.__file__).parent
    rooms = {folder.name for folder in package.iterdir() if (folder / "__init__.py").exists()}
    named = set(re.findall(r"`(\w+)/`", PAGE.read_text().split("## Rooms")[1].split("## What of")[0]))
    assert rooms - {"examples", "templates", "testing"} <= named


@pytest.mark.slow
def test_the_examples_of_the_page_run(tmp_path, root, monkeypatch):
    monkeypatch.chdir(root)
    write_examples(root)
    file = root / "space.yaml"
    file.write_text(
        SIMULATED.replace("evaluate_every: 90", "evaluate_every: 30")
        .replace("sampler: random", "sampler: random, scheduler: {name: 'rules:StopAbove', bound: -1.0, after: 60}")
        .replace(", record: false", "")
        + "record: {recorders: ['notes:Notes']}\n"
    )
    result = tuner.Sweep.from_file(file, root).run(backend="simulated", export=False)
    assert [trial.state for trial in result.trials] == [TrialState.PRUNED] * 2
    lines = (root / "mlruns" / "sweeps" / "sim" / "notes.txt").read_text().splitlines()
    assert sorted(lines) == ["0 PRUNED", "0 RUNNING", "1 PRUNED", "1 RUNNING"]
    file.write_text(
        SIMULATED.replace("name: sim", "name: drawn").replace("sampler: random", "sampler: 'draws:FromTheBest'")
    )
    result = tuner.Sweep.from_file(file, root).run(trials=8, backend="simulated", export=False)
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE] * 8
    file.write_text(SIMULATED.replace("name: sim", "name: at_once"))
    result = tuner.Sweep.from_file(file, root).run(backend="places:AtOnce", export=False)
    assert [(trial.state, trial.value) for trial in result.trials] == [
        (TrialState.COMPLETE, 1.0),
        (TrialState.COMPLETE, 0.5),
    ]


COUNTING = """
from tuner.domain.trial import Decision
from tuner.schedulers import Scheduler


class StopAbove(Scheduler):
    def __init__(self, bound: float, after: int = 0):
        self.reports = 0

    def report(self, trial, step, losses):
        self.reports += 1
        return Decision.STOP if self.reports % 7 == 0 else Decision.CONTINUE
"""
"""What it decides depends on how often it was asked, which a driver that goes on with a sweep does not know."""

UNSEEDED = """
import optuna


class FromTheBest(optuna.samplers.RandomSampler):
    def __init__(self, share: float = 0.5):
        super().__init__()
"""
"""What it draws depends on nothing that a driver that goes on with a sweep knows."""


@pytest.mark.parametrize(
    ("module", "wrong", "said"),
    [("rules.py", COUNTING, "by another driver"), ("draws.py", UNSEEDED, "another_driver_draws_what_the_one_before")],
)
def test_the_examples_go_through_the_contract_suites_from_outside_the_package(tmp_path, module, wrong, said):
    write_examples(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{module}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
    (tmp_path / module).write_text(wrong)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and said in done.stdout, done.stdout[-3000:]
