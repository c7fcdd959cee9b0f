"""A command that ends well and has trained nothing: its trial is complete, and its reason says so."""

from pathlib import Path

import pytest

import tuner
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

TRAINER = """
import argparse, os, shutil
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--job-dir")
parser.add_argument("--way")
args = parser.parse_args()


def model_fn(features, labels, mode):
    weight = tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.zeros_initializer())
    loss = tf.reduce_mean((features["x"] * weight - labels) ** 2)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.01).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    rows = tf.data.Dataset.from_tensor_slices(({"x": [1.0, 2.0]}, [2.0, 4.0]))
    return rows.repeat().batch(2)


def train(estimator):
    spec = tf.estimator.TrainSpec(input_fn, max_steps=20)
    tf.estimator.train_and_evaluate(estimator, spec, tf.estimator.EvalSpec(input_fn, steps=3))


def at(folder):
    return tf.estimator.Estimator(model_fn, folder)


if args.way == "finds":  # what an earlier job trained to its end
    shutil.copytree("trained", args.job_dir)
if args.way == "evaluates":
    at(args.job_dir).evaluate(input_fn, steps=3)
else:
    train(at(args.job_dir))
"""


def test_a_trial_that_is_complete_and_has_trained_no_step_says_why(tmp_path, root, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("task.py").write_text(TRAINER)
    search = "search: {sampler: grid, trials: 3}\ntrain: {max_steps: 20, evaluate_every: 20}\nrecord: {plots: false}\n"
    objective = "objective: {metric: loss}\nparameters:\n"
    Path("first.yaml").write_text(f"{objective}  way: trains\nsearch: {{trials: 1}}\nrecord: {{plots: false}}\n")
    command = ("python", "task.py", "--job-dir", "{trial_dir}/model")
    first = tuner.Sweep.from_file("first.yaml", root, command=command)
    (trained,) = first.session(RunOptions(), NullDisplay()).run().result.trials
    (Path(trained.trial_dir) / "model").rename(tmp_path / "trained")
    Path("all.yaml").write_text(
        f"{objective}  way: {{type: categorical, choices: [finds, evaluates, trains]}}\n{search}"
    )
    ran = tuner.Sweep.from_file("all.yaml", root, command=command).session(RunOptions(), NullDisplay()).run()
    found = {trial.params["way"]: trial for trial in ran.result.trials}
    assert {way: trial.state for way, trial in found.items()} == dict.fromkeys(found, TrialState.COMPLETE)
    folder = Path(found["finds"].trial_dir) / "model"
    assert {way: trial.record.reason for way, trial in found.items()} == {
        "finds": f"no step was trained: {folder} had a checkpoint of step 20 when the command began",
        "evaluates": "no step was trained: neither train nor train_and_evaluate was called",
        "trains": "",
    }
