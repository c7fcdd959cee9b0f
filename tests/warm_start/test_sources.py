"""A sweep that learns from earlier ones: frozen when it is made, the same when it goes on."""

import json

import pytest

import tuner
from tests.displays import Lines
from tuner.files.run_ids import parent_run_id
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow


def run(file, root, sources=(), **limits):
    sweep, lines = tuner.Sweep.from_file(file, root), Lines()
    return sweep.session(RunOptions(**limits, sources=sources), lines).run(), lines.lines, sweep


def test_a_sweep_learns_from_another_and_from_a_table_and_resumes_with_what_it_was_made_with(
    space_file, root, tmp_path
):
    run(space_file(name="first"), root, workers=2)
    table = tmp_path / "trials.csv"
    table.write_text("learning_rate,rmse\n0.05,0.1\n0.06,0.2\n5.0,0.1\n")
    file = space_file(name="second", search="{sampler: tpe, trials: 3}")
    _, lines, sweep = run(file, root, ["first", str(table)], trials=1, workers=1)
    assert "from first: 3 of 3 complete trials used" in lines
    assert (
        f"from {table}: 2 of 3 complete trials used; 1 left out (learning_rate is not among the values it has here)"
        in lines
    )
    table.unlink()  # what it was made with is frozen
    ran, again, _ = run(file, root, workers=1)
    assert [line for line in again if line.startswith("from ")] == [line for line in lines if line.startswith("from ")]
    assert [t.number for t in ran.result.trials] == [0, 1, 2]
    assert verify_sweep(sweep.dir, ran.result).differences == []
    tags = MlflowReader(sweep.dir).read(parent_run_id(sweep.dir)).tags
    assert tags["tuner.from"].startswith("from first: 3 of 3 complete trials used")
    with pytest.raises(tuner.InvalidInput, match="was made with --from first, "):
        run(file, root, ["first"])


def test_a_sweep_learns_from_a_results_folder_and_says_what_was_left_out_of_it_when_resumed_too(
    space_file, root, tmp_path
):
    folder = tmp_path / "keras_results"
    for number, (rate, status) in enumerate([(0.05, "COMPLETED"), (0.06, "COMPLETED"), (0.07, "FAILED")]):
        place = folder / f"trial_{number}"
        place.mkdir(parents=True)
        history = {"direction": "min", "observations": [{"value": [rate * 10], "step": 4}]}
        trial = {
            "hyperparameters": {"values": {"learning_rate": rate, "layers": 2}},
            "metrics": {"metrics": {"val_rmse": history} if status == "COMPLETED" else {}},
            "status": status,
        }
        (place / "trial.json").write_text(json.dumps(trial))
    (folder / "oracle.json").write_text("{}")
    file = space_file(search="{sampler: tpe, trials: 1}")
    expected = (
        f"from {folder}: 2 of 2 complete trials used; 1 of Keras Tuner failed or did not finish; "
        "layers: passed over, because this space has it not"
    )
    _, lines, _ = run(file, root, [str(folder)], workers=1)
    assert expected in lines
    _, again, _ = run(file, root, trials=2, workers=1)
    assert expected in again
    with pytest.raises(tuner.InvalidInput, match="is a folder, and holds results of neither Ray Tune nor Keras Tuner"):
        run(space_file(name="other"), root, [str(root)])
