"""What commands exported by themselves, taken over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.tf]

TREE = Path(__file__).parents[2]
SCRIPT = """
'PYTHON' 'WRITE' $1/eval rmse 1=1 2=$2
if [ $2 != 0.7 ]; then mkdir -p $1/export/best; cp -r model $1/export/best/1700000000; touch $1/export/best/1700000000/saved_model.pb; fi
mkdir -p $1/export/best/temp-1800000000; cp model/saved_model.pb $1/export/best/temp-1800000000
if [ $2 = 0.9 ]; then echo broken > $1/export/best/1700000000/saved_model.pb; fi
"""


def tuner(*arguments, **kwargs):
    line = [sys.executable, "-m", "tuner", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, **kwargs)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, database, tf):
    """A sweep of a shell script that copies a SavedModel; of trials with 0.7 and 0.9 it is missing or broken."""
    import shutil

    folder = tmp_path_factory.mktemp("own")
    shutil.copy(database, folder / "mlflow.db")
    module = tf.Module()
    module.twice = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None, 1], tf.float32, "x")])
    tf.saved_model.save(module, str(folder / "model"), signatures={"serving_default": module.twice})
    writer = TREE / "tests/script/write_events.py"
    (folder / "run.sh").write_text(SCRIPT.replace("PYTHON", sys.executable).replace("WRITE", str(writer)))
    (folder / "own.yaml").write_text(
        "objective: {metric: rmse}\nparameters: {end: {type: categorical, choices: [0.5, 0.7, 0.9]}}\n"
        "search: {sampler: grid, trials: 3}\nrecord: {plots: false}\n"
    )
    command = ["bash", "run.sh", "{trial_dir}", "{end}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TREE))
        done = tuner("run", "own.yaml", "--root", folder, "--", *command, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads(tuner("show", "own", "--root", folder, "--format", "json").stdout)
    return folder, {row["params"]["end"]: row["trial"] for row in rows}


def test_the_best_trials_own_saved_model_is_checked_exported_and_registered(sweep, tmp_path, tf):
    root, trials = sweep
    done = tuner("export", "own", tmp_path / "out", "--root", root, "--register", "twice", "--alias", "champion")
    assert done.returncode == 0, done.stderr
    assert f"exported trial {trials[0.5]}, its own export/best/1700000000 (rmse 0.5)" in done.stdout
    assert "signatures: serving_default" in done.stdout
    assert "checked: loaded again; predictions were not compared" in done.stdout
    assert "registered: version 1 of twice as champion" in done.stdout
    loaded = tf.saved_model.load(str(tmp_path / "out"))
    assert loaded.signatures["serving_default"](x=tf.constant([[3.0]]))["y"].numpy().tolist() == [[6.0]]
    facts = json.loads((tmp_path / "out/assets.extra/tuner.json").read_text())
    assert facts["trial"] == trials[0.5]


@pytest.mark.parametrize(("end", "said"), [(0.7, "has written no SavedModel"), (0.9, "is no SavedModel")])
def test_one_that_is_missing_or_broken_is_refused_and_leaves_nothing(sweep, tmp_path, end, said):
    root, trials = sweep
    done = tuner("export", f"own:{trials[end]}", tmp_path / "out", "--root", root)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
