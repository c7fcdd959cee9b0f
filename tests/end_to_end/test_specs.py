"""A model's own TrainSpec and EvalSpec in a sweep: obeyed, and what hides evaluations is said."""

import json
import sys
from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow
MODELS = Path(__file__).parents[1] / "data" / "models"


def sweep(space_file, root, tmp_path, **constants):
    constants = {"max_steps": 40, "seen": f'"{tmp_path / "seen"}"', **constants}
    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\n"
    parameters += "\n".join(f"{name}: {value}" for name, value in constants.items())
    file = space_file(
        model=MODELS / "specs.py",
        parameters=parameters,
        train="{max_steps: 40, evaluate_every: 20}",
        search="{trials: 2, sampler: random}",
    )
    lines = Lines()
    found = tuner.Sweep.from_file(file, root)
    ran = found.session(RunOptions(workers=1), lines).run()
    return found, ran, lines.lines


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """The model imports another one of the tests'."""
    monkeypatch.setenv("PYTHONPATH", ":".join([str(MODELS.parents[2]), *sys.path]))


def test_hooks_and_saving_listeners_fire_and_a_named_evaluation_is_followed(space_file, root, tmp_path):
    found, ran, _ = sweep(space_file, root, tmp_path)
    assert ran.exit_status == 0
    assert json.loads(Path(f"{tmp_path}/seen.steps").read_text()) == 40
    saved = [int(step) for step in Path(f"{tmp_path}/seen.saved").read_text().split()]
    assert {20, 40} <= set(saved)
    frame = ran.result.curves()
    assert set(frame["folder"]) == {"eval_held_out"}
    assert {"rmse", "loss", "label/mean"} <= set(frame["tag"])
    assert verify_sweep(found.dir, ran.result).differences == []


def test_a_throttle_that_blinds_the_scheduler_is_said_once_with_what_to_set(space_file, root, tmp_path):
    _, ran, lines = sweep(space_file, root, tmp_path, throttle=600)
    assert ran.exit_status == 0
    notes = [line for line in lines if line.startswith("note:")]
    assert len(notes) == 1
    assert "throttle_secs=600" in notes[0] and "set throttle_secs=0" in notes[0]


def test_a_train_spec_that_differs_from_the_file_is_said(space_file, root, tmp_path):
    _, _, lines = sweep(space_file, root, tmp_path, max_steps=20)
    assert any("max_steps=20" in line and "the file 40" in line for line in lines)
