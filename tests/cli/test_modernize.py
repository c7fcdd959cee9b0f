"""``tuner check FILE -- COMMAND``: all lines to change at once, of all files that the command runs."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.tf


def check(folder, *command):
    (folder / "space.yaml").write_text(
        "objective: {metric: rmse}\nparameters: {rate: {type: float, low: 0, high: 1}}\n"
    )
    line = [sys.executable, "-m", "tuner", "check", "space.yaml", "--", *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, cwd=folder)


def test_all_lines_of_all_its_modules_are_named_at_once(tmp_path):
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer/__init__.py").write_text("")
    (tmp_path / "trainer/task.py").write_text("from trainer import model\nimport tensorflow as tf\ntf.app.run(model)\n")
    (tmp_path / "trainer/model.py").write_text(
        "def f():\n    from . import late\n    import tensorflow.contrib.layers as l\n    l.optimize_loss()\n"
    )
    (tmp_path / "trainer/late.py").write_text("import tensorflow.compat.v1 as tf\ntf.placeholder\n")
    (tmp_path / "trainer/other.py").write_text("import tensorflow.contrib\n")
    done = check(tmp_path, "python", "-m", "trainer.task", "--job-dir", "{trial_dir}")
    assert done.returncode == 1, done.stderr
    assert [line.partition(" is gone")[0] for line in done.stdout.splitlines()] == [
        "trainer/task.py:3: tf.app.run",
        "trainer/model.py:3: tensorflow.contrib.layers",
        "trainer/model.py:4: tf.contrib.layers.optimize_loss",
    ]
    assert "minimize(loss" in done.stdout
    (tmp_path / "trainer/task.py").write_text(
        "import tensorflow as tf\nfrom tensorflow import layers\ntf.placeholder(1), tf.placeholder(2)\n"
        "tf.contrib.learn.RunConfig()\nwith tf.Session():\n    layers.dense(tf.train.AdamOptimizer)\n"
    )
    done = check(tmp_path, "python", "-m", "trainer.task", "--job-dir", "{trial_dir}")
    assert [line.partition(" is gone")[0] for line in done.stdout.splitlines()] == [
        "trainer/task.py:2: tensorflow.layers",
        "trainer/task.py:3: tf.placeholder",
        "trainer/task.py:4: tf.contrib.learn.RunConfig",
        "trainer/task.py:5: tf.Session",
        "trainer/task.py:6: tf.train.AdamOptimizer",
    ]
    (tmp_path / "trainer/task.py").write_text("from trainer import late\n")
    done = check(tmp_path, "python", "-m", "trainer.task", "--job-dir", "{trial_dir}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the command can be run")
    assert check(tmp_path, "python", "-m", "trainer.tsk").returncode == 2


@pytest.mark.parametrize(("more", "noted"), [("", True), ("estimator.evaluate(rows)\n", False)])
def test_a_command_that_trains_and_never_evaluates_has_a_note_and_tensorflow_none(tmp_path, monkeypatch, more, noted):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    (tmp_path / "task.py").write_text(
        f"import tensorflow as tf\nestimator = tf.estimator.DNNRegressor()\nestimator.train(rows)\n{more}"
    )
    done = check(tmp_path, "python", "task.py", "--job-dir", "{trial_dir}")
    assert (done.returncode, done.stderr) == (0, "")
    note = "note: its Python files call train and never evaluate: each trial will be judged by the last summary of its"
    assert done.stdout.startswith(note) == noted
    assert done.stdout.splitlines()[-1].startswith("the command can be run")
