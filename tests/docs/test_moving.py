"""The guide to moving: each program before and after is run as it stands there."""

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

GUIDE = Path(__file__).parents[2] / "docs" / "moving.md"
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks():
    return dict(BLOCK.findall(GUIDE.read_text(encoding="utf-8")))


@pytest.fixture
def written(blocks, tmp_path, root):
    """Write the files of a part of the guide, with an empty tracking database beside them."""

    def write(part):
        for name, text in blocks.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (root / "mlflow.db").rename(tmp_path / part / "mlflow.db")
        return tmp_path / part

    return write


def run(command, folder):
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    env.pop("TF_USE_LEGACY_KERAS", None)  # set where another test of this process put Estimators in place
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def tuner(arguments, folder):
    done = run([sys.executable, "-m", "tuner", *arguments], folder)
    assert done.returncode == 0, done.stderr
    return done


def after(blocks, part, folder):
    """Run the commands of ``after.sh``, and return the trials of the sweep."""
    for line in blocks[f"{part}/after.sh"].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "tuner"
        tuner(arguments, folder)
    (sweep,) = json.loads(tuner(["list", "--format", "json"], folder).stdout)
    return json.loads(tuner(["show", sweep["sweep"], "--format", "json"], folder).stdout)


def test_every_program_in_the_guide_compiles(blocks):
    programs = [name for name in blocks if name.endswith(".py")]
    assert len(programs) == 5
    for name in programs:
        compile(blocks[name], name, "exec")


def test_the_models_of_the_optuna_loop_are_the_same_before_and_after(blocks):
    def model_fn(text):
        return text[text.index("def model_fn") :].split("\n\n\n")[0]

    assert model_fn(blocks["optuna_loop/before.py"]) == model_fn(blocks["optuna_loop/model.py"])


@pytest.mark.slow
@pytest.mark.tf
def test_the_ai_platform_trainer_and_its_configuration_run_unchanged(blocks, written):
    rows = after(blocks, "ai_platform", written("ai_platform"))
    assert [row["step"] for row in rows] == [60] * 3 and {row["state"] for row in rows} <= {"COMPLETE", "PRUNED"}
    for row in rows:
        assert row["params"]["batch-size"] in (16, 32, 64) and set(row["values"]) == {"average_loss"}


@pytest.mark.slow
@pytest.mark.tf
def test_the_optuna_loop_runs_before_where_its_hook_is_installed(written):
    pytest.importorskip("optuna_integration")
    if Version(version("tensorflow")) >= Version("2.16"):
        pytest.skip("the hook needs a TensorFlow that has tf.estimator")
    done = run([sys.executable, "before.py"], written("optuna_loop"))
    assert done.returncode == 0, done.stderr
    assert "learning_rate" in done.stdout


@pytest.mark.slow
@pytest.mark.tf
def test_the_optuna_loop_runs_after(blocks, written):
    rows = after(blocks, "optuna_loop", written("optuna_loop"))
    assert len(rows) == 3 and {row["state"] for row in rows} <= {"COMPLETE", "PRUNED"}
    for row in rows:
        assert ("momentum" in row["params"]) == (row["params"]["optimizer"] == "sgd")


@pytest.mark.slow
@pytest.mark.tf
def test_keras_tuner_runs_before_where_it_is_installed(written):
    pytest.importorskip("keras_tuner")
    folder = written("keras_tuner")
    done = run([sys.executable, "before.py"], folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "keras_results" / "prices" / "oracle.json").is_file()


@pytest.mark.slow
@pytest.mark.tf
def test_keras_tuner_runs_after(blocks, written):
    rows = after(blocks, "keras_tuner", written("keras_tuner"))
    assert [row["state"] for row in rows] == ["COMPLETE"] * 3
    assert {row["step"] for row in rows} == {40}
