"""The page on the architecture: its examples run, and its rooms are those that are there."""

import re
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
    file.write_text(SIMULATED.replace("name: sim", "name: at_once"))
    result = tuner.Sweep.from_file(file, root).run(backend="places:AtOnce", export=False)
    assert [(trial.state, trial.value) for trial in result.trials] == [
        (TrialState.COMPLETE, 1.0),
        (TrialState.COMPLETE, 0.5),
    ]
