"""Trainings and evaluations that get nowhere are said, where TensorFlow goes on for ever or gives numbers."""

import pytest

from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.estimator.stop_control import StopRequest
from tuner.files.paths import TrialDir
from tuner.trial import run as running

pytestmark = pytest.mark.tf

MODEL = """
import numpy as np
import tensorflow as tf
X = np.arange(64, dtype=np.float32).reshape(64, 1)

def model_fn(features, labels, mode, params):
    output = tf.compat.v1.layers.dense(features["x"], 1)
    loss = tf.reduce_mean((labels - output) ** 2)
    step = tf.compat.v1.train.get_global_step()
    train_op = tf.compat.v1.train.AdamOptimizer(0.01).minimize(loss, {counted})
    rmse = tf.compat.v1.metrics.root_mean_squared_error(labels, output)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops={{"rmse": rmse}})

def rows():
    return tf.data.Dataset.from_tensor_slices(({{"x": X}}, X))

def train_input_fn(params):
    return rows(){train}

def eval_input_fn(params):
    return rows(){evaluation}
"""


def trial(tmp_path, counted="step", train=".repeat().batch(8)", evaluation=".batch(16)", spec="", params=None):
    file = tmp_path / "nowhere.py"
    file.write_text(MODEL.format(counted=counted, train=train, evaluation=evaluation) + spec)
    folder = tmp_path / "trial"
    folder.mkdir(exist_ok=True)
    model = ModelRef(file=str(file), import_paths=(str(tmp_path),))
    job = Job(0, 1, params or {}, 1, TrainSettings(max_steps=20, evaluate_every=10), model)
    return running.run_job(job, TrialDir(folder), StopRequest())


@pytest.fixture(autouse=True)
def fresh(tf):
    import sys

    yield
    sys.modules.pop("nowhere", None)


def test_one_that_gets_somewhere_says_nothing(tmp_path):
    result = trial(tmp_path)
    assert (result.ending, result.step, result.tags.get("tuner.note")) == (JobStatus.FINISHED, 20, None)


def test_a_global_step_that_is_not_counted_is_said(tmp_path):
    result = trial(tmp_path, counted="None")
    assert result.ending is JobStatus.FAILED
    assert result.reason.startswith("the train_op ran 500 times and the global step is still 0")


@pytest.mark.parametrize("train", [".take(0).batch(8)", ".batch(128, drop_remainder=True)"])
def test_a_training_without_rows_is_said(train, tmp_path):
    result = trial(tmp_path, train=train)
    assert result.ending is JobStatus.FAILED
    assert result.reason.startswith("the training input has no rows")


def test_a_training_input_that_ends_before_the_training_is_a_note_also_when_the_trial_is_gone_on_with(tmp_path):
    for _ in range(2):
        result = trial(tmp_path, train=".batch(8)")
        assert (result.ending, result.step) == (JobStatus.FINISHED, 8)
        assert result.tags["tuner.note"].startswith("the training input ended before max_steps")


@pytest.mark.parametrize("evaluation", [".take(0).batch(16)", ".filter(lambda x, y: False).batch(16)"])
def test_an_evaluation_without_rows_is_said_and_not_written(evaluation, tmp_path):
    result = trial(tmp_path, evaluation=evaluation)
    assert result.ending is JobStatus.FAILED
    assert result.reason.startswith("the evaluation's input has no rows")
    assert not list((tmp_path / "trial").glob("eval/*"))


def test_an_evaluation_that_has_no_rows_later_is_said(tmp_path):
    spec = """
CALLS = []
def eval_input_fn(params):
    CALLS.append(1)
    return rows().take(64 if len(CALLS) < 2 else 0).batch(16)
"""
    result = trial(tmp_path, spec=spec)
    assert (result.ending, result.step) == (JobStatus.FAILED, 20)
    assert result.reason.startswith("the evaluation's input has no rows")


def test_an_evaluation_without_end_is_said(tmp_path):
    result = trial(tmp_path, evaluation=".repeat().batch(16)")
    assert result.ending is JobStatus.FAILED
    assert result.reason.startswith("the evaluation's input never ends")


@pytest.mark.parametrize(
    ("evaluation", "spec"),
    [
        (".repeat(2).batch(16)", ""),
        (".repeat().take(64).batch(16)", ""),
        (
            ".repeat().batch(16)",
            "def eval_spec(params):\n"
            "    return tf.estimator.EvalSpec(lambda: eval_input_fn(params), steps=3, throttle_secs=0)\n",
        ),
    ],
)
def test_an_evaluation_that_repeats_and_ends_is_as_ever(evaluation, spec, tmp_path):
    result = trial(tmp_path, evaluation=evaluation, spec=spec)
    assert (result.ending, result.step) == (JobStatus.FINISHED, 20)


@pytest.mark.parametrize("name", ["train_input_fn", "eval_input_fn"])
def test_an_input_fn_that_returns_nothing_is_named(name, tmp_path):
    result = trial(tmp_path, spec=f"def {name}(params):\n    rows().batch(8)\n")
    assert result.ending is JobStatus.FAILED
    assert result.reason.startswith(f"{name} returned None, expected a tf.data.Dataset")


def test_a_parameter_whose_name_is_nearly_one_of_the_file_is_said_with_those_there_are(tmp_path):
    spec = "def train_input_fn(params):\n    return rows().repeat().batch(params['batch_size'])\n"
    result = trial(tmp_path, spec=spec, params={"batchsize": 8, "rate": 0.1})
    said = (
        "; the trial has no parameter 'batch_size', it has batchsize, rate: if 'batchsize' is meant, write it alike in "
        "model and search space"
    )
    assert result.reason.startswith("KeyError: 'batch_size' (line ") and result.reason.endswith(said)
