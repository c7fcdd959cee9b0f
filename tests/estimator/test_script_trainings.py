"""What a script trains by itself: evaluated on the grid, up to where it may, and not anew what is done."""

from pathlib import Path

import numpy as np
import pytest

from tuner.domain.job import Job
from tuner.domain.spec import TrainSettings
from tuner.estimator.script_control import ScriptControl, TrialStopped
from tuner.estimator.script_estimators import estimators_obey
from tuner.estimator.stop_control import StopRequest
from tuner.events import read_all
from tuner.files.paths import TrialDir

pytestmark = pytest.mark.tf


@pytest.fixture
def attempt(tf, tmp_path):
    """Run a script's calls in an attempt of a trial."""

    def model_fn(features, labels, mode):
        weight = tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.zeros_initializer())
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions=weight[None])
        loss = tf.reduce_mean((features["x"] * weight - labels) ** 2)
        step = tf.compat.v1.train.get_or_create_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(0.01).minimize(loss, step)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def rows():
        columns = ({"x": [1.0, 2.0, 3.0]}, [2.0, 4.0, 6.0])
        return tf.data.Dataset.from_tensor_slices(columns).repeat().batch(2)

    def run(script, attempt=1, stop_at=None, max_steps=60, every=20):
        trial = TrialDir(tmp_path / "0000")
        trial.path.mkdir(exist_ok=True)
        job = Job(0, attempt, {}, 1, TrainSettings(max_steps, every), stop_at=stop_at)
        tags = {}
        with estimators_obey(job, trial, ScriptControl(StopRequest(), stop_at), tags) as trainings:
            estimator = tf.estimator.Estimator(model_fn, str(trial.path / "model"))
            try:
                script(estimator, rows)
                trainings.finish()
            except TrialStopped:
                pass
        found = read_all(trial.path / "model")
        return [(e.folder, e.step) for e in found], {e.step: e.scalars["loss"] for e in found}, tags

    return run


def test_a_training_before_the_first_evaluation_is_evaluated_as_if_it_were_evaluated_all_along(attempt):
    def script(estimator, rows):
        estimator.train(rows, max_steps=60)
        metrics = estimator.evaluate(rows, steps=3)
        assert metrics["global_step"] == 60
        seen.append(metrics["loss"])

    seen = []
    steps, losses, _ = attempt(script)
    assert steps == [("eval", 20), ("eval", 40), ("eval", 60)]
    assert np.float32(losses[60]) == seen[0]


def test_the_first_of_several_evaluations_is_made_on_the_grid_and_a_named_checkpoint_is_the_newest(tf, attempt):
    def script(estimator, rows):
        estimator.train(rows, max_steps=60)
        newest = tf.train.latest_checkpoint(estimator.model_dir)
        assert estimator.evaluate(rows, steps=3, checkpoint_path=newest, name="rows")["global_step"] == 60
        assert estimator.evaluate(rows, steps=3, name="test")["global_step"] == 60

    assert attempt(script)[0] == [("eval_rows", 20), ("eval_rows", 40), ("eval_rows", 60), ("eval_test", 60)]


@pytest.mark.parametrize("use", ["predict", "variable", "nothing"])
def test_what_is_done_with_a_trained_model_finds_it_trained(attempt, use):
    def script(estimator, rows):
        estimator.train(rows, max_steps=60)
        if use == "predict":
            next(estimator.predict(rows, yield_single_examples=False))
        if use == "variable":
            assert estimator.get_variable_value("global_step") == 60
        where.append(estimator.model_dir)

    where = []
    assert attempt(script)[0] == []
    assert (Path(where[0]) / "model.ckpt-60.index").exists()


def looping(estimator, rows):
    for _ in range(5):
        estimator.train(rows, steps=20)
        assert estimator.evaluate(rows, steps=3)["global_step"] <= 60


def test_a_loop_ends_where_the_file_says_and_a_rung_and_goes_on_from_there(attempt):
    assert attempt(looping, stop_at=20)[0] == [("eval", 20)]
    assert attempt(looping, attempt=2, stop_at=40)[0] == [("eval", 20), ("eval", 40)]
    steps, losses, _ = attempt(looping, attempt=3)
    assert steps == [("eval", 20), ("eval", 40), ("eval", 60)]
    assert len(set(losses.values())) == 3


def test_a_loop_that_evaluates_more_seldom_than_the_grid_is_evaluated_in_between(attempt):
    def script(estimator, rows):
        for step in (20, 60):
            estimator.train(rows, max_steps=step)
            estimator.evaluate(rows, steps=3)

    assert attempt(script, every=10)[0] == [("eval", step) for step in (10, 20, 30, 40, 50, 60)]


def test_training_ends_where_the_file_says_and_that_is_said(attempt):
    def script(estimator, rows):
        estimator.train(rows, max_steps=100)
        assert estimator.evaluate(rows, steps=3)["global_step"] == 40

    steps, _, tags = attempt(script, max_steps=40)
    assert steps == [("eval", 20), ("eval", 40)]
    assert tags["tuner.note"] == "the command trains up to max_steps=100, the file up to 40, where training ends"


def test_a_suspended_training_gives_what_an_undisturbed_one_gives(attempt, tf, tmp_path):
    def script(estimator, rows):
        estimator.train(rows, max_steps=60)
        estimator.evaluate(rows, steps=3)
        weights.append(estimator.get_variable_value("w"))

    weights = []
    attempt(script)
    plain = str(tmp_path / "plain")
    attempt(lambda first, rows: script(tf.estimator.Estimator(first._model_fn, plain), rows), every=None)
    assert weights[0] == weights[1]
