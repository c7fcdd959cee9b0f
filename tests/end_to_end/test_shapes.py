"""Population based training over a parameter that changes a variable's shape."""

import sys

import pytest

import tuner
from tests.end_to_end.test_budgets import run
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow


def test_an_exploit_whose_parameters_change_a_variables_shape_is_refused_with_the_remedy(space_file, root, tmp_path):
    model = tmp_path / "wide.py"
    model.write_text(
        "import tensorflow as tf\nfrom tests.data.models.tiny import *\nfrom tests.data.models import tiny\n"
        "def model_fn(features, labels, mode, params):\n"
        "    tf.compat.v1.get_variable('wide', [params['units'], 2])\n"
        "    return tiny.model_fn(features, labels, mode, params)\n"
    )
    parameters = "learning_rate: {type: float, low: 0.01, high: 0.1}\nunits: {type: int, low: 4, high: 64}"
    scheduler = "{name: pbt, population: 2, every: 20, quantile: 0.5, perturb: [units]}"
    search = f"{{sampler: random, scheduler: {scheduler}, trials: 3}}"
    file = space_file(model=model, parameters=parameters, search=search, train="{max_steps: 40, evaluate_every: 20}")
    ran, _ = run(file, root)
    (forked,) = [t for t in ran.result.trials if "tuner.forked_from" in t.record.tags]
    assert forked.state is TrialState.FAIL
    assert "does not fit the model: wide has the shape [" in forked.record.reason
    assert "take it out of search.scheduler.perturb" in forked.record.reason


SCRIPT = """
import sys
import tensorflow as tf

model_dir, rate, units = (word.partition("=")[2] for word in sys.argv[1:4])


def model_fn(features, labels, mode):
    tf.compat.v1.get_variable("wide", [int(units), 2], use_resource=True)
    weight = tf.compat.v1.get_variable("w", [], use_resource=True)
    loss = tf.reduce_mean((features["x"] * weight - labels) ** 2)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(float(rate)).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    return tf.data.Dataset.from_tensor_slices(({"x": [1.0, 2.0]}, [2.0, 4.0])).repeat().batch(2)


estimator = tf.estimator.Estimator(model_fn, model_dir)
for step in (20, 40):
    estimator.train(input_fn, max_steps=step)
    estimator.evaluate(input_fn, steps=1)
"""


def test_a_script_that_trains_by_itself_is_refused_in_the_same_words(root, tmp_path):
    (tmp_path / "loop.py").write_text(SCRIPT)
    file = tmp_path / "loop.yaml"
    scheduler = "{name: pbt, population: 2, every: 20, quantile: 0.5, perturb: [units]}"
    file.write_text(
        "name: loop\nobjective: {metric: loss}\ntrain: {max_steps: 40, evaluate_every: 20}\nparameters:\n"
        "  rate: {type: float, low: 0.01, high: 0.1}\n  units: {type: int, low: 4, high: 64}\n"
        f"search: {{sampler: random, scheduler: {scheduler}, trials: 3}}\n"
    )
    command = (sys.executable, str(tmp_path / "loop.py"), "--model_dir={trial_dir}/model")
    ran = tuner.Sweep.from_file(file, root, command=command).session(RunOptions(), NullDisplay()).run()
    (forked,) = [t for t in ran.result.trials if "tuner.forked_from" in t.record.tags]
    assert forked.state is TrialState.FAIL
    assert "does not fit the model: wide has the shape [" in forked.record.reason
    assert "take it out of search.scheduler.perturb" in forked.record.reason
