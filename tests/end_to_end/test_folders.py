"""Evaluations in several folders: which count, what they are called, and that all places agree."""

from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.config.manifest import read_manifest
from tuner.domain.trial import TrialState
from tuner.events import read_all
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

MODEL = """
import numpy as np
import tensorflow as tf
X = np.arange(64, dtype=np.float32).reshape(64, 1) / 64

def network(features, labels, mode, params):
    output = tf.compat.v1.layers.dense(features["x"], 1)
    loss = tf.reduce_mean((labels - output) ** 2)
    optimizer = tf.compat.v1.train.AdamOptimizer(params["rate"])
    train_op = optimizer.minimize(loss, tf.compat.v1.train.get_global_step())
    rmse = tf.compat.v1.metrics.root_mean_squared_error(labels, output)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops={"rmse": rmse})

def estimator_fn(params, config):
    return tf.estimator.Estimator(network, config=config, params=dict(params))

def rows(shift=0.0):
    return tf.data.Dataset.from_tensor_slices(({"x": X}, X + shift))

def train_input_fn(params):
    return rows().repeat().batch(16)

def eval_input_fn(params):
    return rows(1.0).batch(64)

def train_spec(params, config, estimator):
    assert config.model_dir == estimator.model_dir
    hook = tf.estimator.experimental.InMemoryEvaluatorHook(
        estimator, lambda: rows(100.0).batch(64), name="another", every_n_iter=10
    )
    return tf.estimator.TrainSpec(lambda: train_input_fn(params), max_steps=40, hooks=[hook])
"""

SCRIPT = """
import argparse
import tensorflow as tf
import model
parser = argparse.ArgumentParser()
parser.add_argument("--job-dir")
parser.add_argument("--rate", type=float)
flags = parser.parse_args()
estimator = tf.estimator.Estimator(model.network, flags.job_dir, params={"rate": flags.rate})
for _ in range(2):
    estimator.train(lambda: model.rows().repeat().batch(16), steps=20)
    estimator.evaluate(lambda: model.rows(100.0).batch(64), name="alien")
    estimator.evaluate(lambda: model.rows(1.0).batch(64), name="test")
"""

SPACE = """
name: folders
objective: {{metric: rmse, goal: minimize{more}}}
parameters: {{rate: {{type: float, low: 1.0e-3, high: 1.0e-1, log: true}}}}
search: {{sampler: random, trials: 2, workers: 1}}
"""


def check(sweep, result, own, other):
    """Look at the objective and its name in MLflow: of ``own``, whatever ``other`` has."""
    assert [t.state for t in result.trials] == [TrialState.COMPLETE] * 2
    assert verify_sweep(sweep.dir, result).differences == []
    recorded = MlflowReader(sweep.dir, None)
    runs = recorded.runs_of_trials(read_manifest(sweep.dir).sweep_id)
    for trial in result.trials:
        of = {}
        for e in read_all(Path(trial.trial_dir)):
            if "rmse" in e.scalars:
                of.setdefault(e.folder, {})[e.step] = e.scalars["rmse"]
        assert dict(trial.record.curve) == of[own]
        assert trial.value == of[own][40] < 50 < of[other][40]
        metrics = recorded.read(runs[trial.number][0]).metrics
        assert metrics["eval/rmse"] == of[own]
        assert metrics[f"eval/{other}/rmse"] == of[other]
        assert set(metrics["best/rmse"].values()) <= set(of[own].values())


def test_a_hook_that_evaluates_other_rows_in_a_model_is_recorded_beside_the_models_own_evaluation(tmp_path, root):
    (tmp_path / "two_evaluations.py").write_text(MODEL)
    file = tmp_path / "space.yaml"
    train = "model: two_evaluations.py\ntrain: {max_steps: 40, evaluate_every: 20}\n"
    file.write_text(SPACE.format(more="") + train)
    sweep = tuner.Sweep.from_file(file, root)
    check(sweep, sweep.session(RunOptions(), Lines()).run().result, "eval", "eval_another")


@pytest.fixture
def script(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "task.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)

    def run(root, more):
        Path("space.yaml").write_text(SPACE.format(more=more))
        command = ["python", "task.py", "--job-dir", "{trial_dir}"]
        sweep = tuner.Sweep.from_file("space.yaml", root, command=command)
        lines = Lines()
        return sweep, sweep.session(RunOptions(), lines).run().result, lines.lines

    return run


def test_the_folder_whose_evaluations_count_is_said_and_all_places_agree(script, root):
    sweep, result, lines = script(root, ", folder: eval_test")
    check(sweep, result, "eval_test", "eval_alien")
    assert not any("was there first" in line for line in lines)


def test_without_that_the_first_counts_a_line_says_what_to_do_and_all_places_agree(script, root):
    sweep, result, lines = script(root, "")
    assert verify_sweep(sweep.dir, result).differences == []
    assert any("eval_alien" in line and "objective.folder says which shall" in line for line in lines)


def test_a_folder_that_has_no_objective_fails_with_those_that_have(script, root):
    _, result, _ = script(root, ", folder: eval_tst")
    assert {t.state for t in result.trials} == {TrialState.FAIL}
    said = (
        "never came in the folder 'eval_tst' that objective.folder names; folders that have it: eval_alien, eval_test"
    )
    reason = result.trials[0].record.reason
    assert reason.endswith(f"{said}; did you mean 'eval_test'?") and "tags that are there" not in reason
