"""What Estimators do on any TensorFlow; metrics of seeded ones agree between versions.

``golden.json`` was recorded by ``python -m tests.estimator.golden`` on TensorFlow 2.15.1.
"""

import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def tf():
    import tuner

    tuner.install_estimator()
    import tensorflow

    tensorflow.compat.v1.logging.set_verbosity("ERROR")
    return tensorflow


@pytest.fixture
def data(tf):
    from tests.estimator.golden import rows

    return rows(tf)


def custom(tf, folder, **config):
    from tests.estimator.golden import custom_estimator

    return custom_estimator(tf, str(folder), **config)


@pytest.mark.parametrize("name", ["custom", "linear", "dnn", "tpu"])
def test_metrics_of_a_seeded_estimator_equal_those_of_tensorflow_2_15(tf, name, tmp_path):
    from tests.estimator.golden import measure

    golden = json.loads(Path(__file__).with_name("golden.json").read_text())[name]
    found = measure(tf, name, str(tmp_path))
    assert found.keys() == golden.keys()
    for key, value in golden.items():
        assert found[key] == pytest.approx(value, abs=1e-6, rel=1e-6), key


def test_train_and_evaluate_evaluates_each_checkpoint_and_runs_the_exporters(tf, data, tmp_path):
    train, evaluate, receiver = data
    estimator = custom(tf, tmp_path, save_checkpoints_steps=20)
    exporters = [
        tf.estimator.BestExporter("best", receiver, exports_to_keep=1),
        tf.estimator.LatestExporter("latest", receiver, exports_to_keep=2),
        tf.estimator.FinalExporter("final", receiver),
    ]
    eval_spec = tf.estimator.EvalSpec(evaluate, steps=None, start_delay_secs=0, throttle_secs=0, exporters=exporters)
    result, exported = tf.estimator.train_and_evaluate(
        estimator, tf.estimator.TrainSpec(train, max_steps=60), eval_spec
    )
    assert result["global_step"] == 60
    assert len(exported) == 3
    from tuner.events import read_all

    assert [e.step for e in read_all(tmp_path)] == [20, 40, 60]
    for name, count in (("best", 1), ("latest", 2), ("final", 1)):
        assert len(list((tmp_path / "export" / name).glob("*/saved_model.pb"))) == count


def test_training_goes_on_from_its_checkpoint(tf, data, tmp_path):
    train, _, _ = data
    custom(tf, tmp_path).train(train, max_steps=10)
    estimator = custom(tf, tmp_path)
    estimator.train(train, max_steps=30)
    assert estimator.get_variable_value("global_step") == 30
    assert estimator.latest_checkpoint().endswith("model.ckpt-30")


def test_early_stopping_stops_when_the_metric_no_longer_falls(tf, data, tmp_path):
    train, evaluate, _ = data
    estimator = custom(tf, tmp_path, save_checkpoints_steps=10)
    hook = tf.estimator.experimental.stop_if_no_decrease_hook(
        estimator, "loss", max_steps_without_decrease=0, run_every_secs=None, run_every_steps=10, min_steps=30
    )
    tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(train, max_steps=5000, hooks=[hook]),
        tf.estimator.EvalSpec(evaluate, throttle_secs=0, start_delay_secs=0),
    )
    assert estimator.get_variable_value("global_step") < 5000


def test_run_config_reads_tf_config(tf, monkeypatch):
    cluster = {"chief": ["h0:1"], "worker": ["h1:1", "h2:1"], "ps": ["h3:1"]}
    for kind, index, chief in (("chief", 0, True), ("worker", 1, False), ("ps", 0, False)):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))
        config = tf.estimator.RunConfig()
        assert (config.task_type, config.task_id, config.is_chief) == (kind, index, chief)
        assert (config.num_worker_replicas, config.num_ps_replicas) == (3, 1)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "evaluator", "index": 0}}))
    assert tf.estimator.RunConfig().task_type == "evaluator"


def test_canned_estimators_train_with_feature_columns_added_metrics_and_a_warm_start(tf, data, tmp_path):
    train, evaluate, _ = data
    columns = [tf.feature_column.numeric_column("x", shape=(4,))]
    config = tf.estimator.RunConfig(model_dir=str(tmp_path / "a"), tf_random_seed=1)
    first = tf.estimator.DNNRegressor([8], columns, config=config)
    first = tf.estimator.add_metrics(first, lambda labels, predictions: {"twice": _twice(tf, labels, predictions)})
    first.train(train, steps=30)
    found = first.evaluate(evaluate)
    assert {"average_loss", "twice", "loss"} <= set(found)
    second = tf.estimator.DNNRegressor([8], columns, model_dir=str(tmp_path / "b"), warm_start_from=str(tmp_path / "a"))
    second.train(train, steps=1)
    name = "dnn/hiddenlayer_0/kernel"
    assert np.abs(second.get_variable_value(name) - first.get_variable_value(name)).max() < 0.2
    wide = tf.estimator.DNNLinearCombinedRegressor(
        model_dir=str(tmp_path / "c"), linear_feature_columns=columns, dnn_feature_columns=columns, dnn_hidden_units=[4]
    )
    wide.train(train, steps=5)
    assert wide.evaluate(evaluate)["global_step"] == 5


def _twice(tf, labels, predictions):
    metric = tf.keras.metrics.Mean()
    metric.update_state(2 * tf.reduce_mean(tf.abs(labels - tf.squeeze(predictions["predictions"], 1))))
    return metric


def test_a_keras_model_becomes_an_estimator(tf, data, tmp_path):
    train, evaluate, _ = data
    keras = tf.keras.Sequential([tf.keras.layers.Input(4, name="x"), tf.keras.layers.Dense(1)])
    keras.compile(optimizer=tf.keras.optimizers.legacy.SGD(0.1), loss="mse", metrics=["mae"])
    estimator = tf.keras.estimator.model_to_estimator(keras, model_dir=str(tmp_path))
    estimator.train(train, steps=20)
    assert {"loss", "mae", "global_step"} <= set(estimator.evaluate(evaluate))


@pytest.mark.slow
def test_training_and_evaluation_are_distributed_over_two_devices(tmp_path):
    import subprocess
    import sys

    code = f"""
import tuner; tuner.install_estimator()
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.estimator.golden import rows, custom_estimator
train, evaluate, _ = rows(tf)
# The default of newer TensorFlow, collectives, waits for ever on CPU devices in a session.
ops = tf.distribute.ReductionToOneDevice()
strategies = [tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"], cross_device_ops=ops) for _ in range(2)]
estimator = custom_estimator(tf, {str(tmp_path)!r}, train_distribute=strategies[0], eval_distribute=strategies[1],
                             save_checkpoints_steps=10)
tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(train, max_steps=20),
                                tf.estimator.EvalSpec(evaluate, throttle_secs=0, start_delay_secs=0))
print(strategies[0].num_replicas_in_sync, estimator.get_variable_value("global_step"))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=root)
    assert done.stdout.strip().endswith("2 20"), done.stderr[-3000:]
