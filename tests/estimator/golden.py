"""Seeded Estimators whose metrics every TensorFlow must give; as a program, records them."""

import json
import sys
import tempfile

import numpy as np


def rows(tf):
    """Return train_input_fn, eval_input_fn and a serving_input_receiver_fn on 128 rows of 4 columns."""
    random = np.random.RandomState(3)
    x = random.uniform(-1, 1, (128, 4)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5, 3.0], np.float32)).astype(np.float32)

    def train():
        return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).repeat().batch(32)

    def evaluate():
        return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).batch(128)

    def receiver():
        column = tf.compat.v1.placeholder(tf.float32, [None, 4])
        return tf.estimator.export.ServingInputReceiver({"x": column}, {"x": column})

    return train, evaluate, receiver


def custom_estimator(tf, folder, **config):
    """Return a custom Estimator with one hidden layer and a seed."""

    def model_fn(features, labels, mode):
        hidden = tf.compat.v1.layers.dense(features["x"], 8, tf.nn.tanh, name="hidden")
        output = tf.squeeze(tf.compat.v1.layers.dense(hidden, 1, name="output"), 1)
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions={"y": output})
        loss = tf.reduce_mean((labels - output) ** 2)
        step = tf.compat.v1.train.get_or_create_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        metrics = {"rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, output)}
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)

    return tf.estimator.Estimator(model_fn, config=tf.estimator.RunConfig(model_dir=folder, tf_random_seed=5, **config))


def tpu_estimator(tf, folder):
    """Return a TPUEstimator that trains without a TPU, with a host call's metrics and an optimizer made for shards."""

    def model_fn(features, labels, mode, params):
        output = tf.squeeze(tf.compat.v1.layers.dense(features["x"], 1, name="output"), 1)
        loss = tf.reduce_mean((labels - output) ** 2)
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(params["rate"])
        if params["use_tpu"]:
            optimizer = tf.compat.v1.tpu.CrossShardOptimizer(optimizer)
        train_op = optimizer.minimize(loss, tf.compat.v1.train.get_or_create_global_step())
        metrics = (lambda y, found: {"rmse": tf.compat.v1.metrics.root_mean_squared_error(y, found)}, [labels, output])
        return tf.compat.v1.estimator.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op, eval_metrics=metrics)

    tpu = tf.compat.v1.estimator.tpu
    config = tpu.RunConfig(model_dir=folder, tf_random_seed=5, tpu_config=tpu.TPUConfig(iterations_per_loop=10))
    return tpu.TPUEstimator(
        model_fn, config=config, use_tpu=False, train_batch_size=32, eval_batch_size=128, params={"rate": 0.1}
    )


def measure(tf, name, folder):
    """Return the metrics of a seeded Estimator after 50 steps."""
    import random

    random.seed(5)
    np.random.seed(5)
    train, evaluate, _ = rows(tf)
    columns = [tf.feature_column.numeric_column("x", shape=(4,))]
    config = tf.estimator.RunConfig(model_dir=folder, tf_random_seed=5)
    if name == "custom":
        estimator = custom_estimator(tf, folder)
    elif name == "tpu":
        estimator = tpu_estimator(tf, folder)
        train, evaluate = (_of_batches(taken) for taken in (train, evaluate))
    elif name == "linear":
        estimator = tf.compat.v1.estimator.LinearRegressor(columns, config=config)
    else:
        estimator = tf.compat.v1.estimator.DNNRegressor([8], columns, config=config)
    estimator.train(train, max_steps=50)
    steps = 1 if name == "tpu" else None  # a TPUEstimator wants to be told
    return {key: float(value) for key, value in estimator.evaluate(evaluate, steps=steps).items()}


def _of_batches(input_fn):
    """Return an input_fn of a TPUEstimator, which is told the size of a batch."""
    return lambda params: input_fn().unbatch().batch(params["batch_size"], drop_remainder=True)


if __name__ == "__main__":
    import tuner

    tuner.install_estimator()
    import tensorflow

    tensorflow.compat.v1.logging.set_verbosity("ERROR")
    found = {name: measure(tensorflow, name, tempfile.mkdtemp()) for name in ("custom", "linear", "dnn", "tpu")}
    json.dump(found, sys.stdout, indent=1)
