"""A real Estimator whose score is a formula of its parameters and its step, and whose server answers with that of its checkpoint.

``score(params, step)`` says what it is: it rises to ``height`` at step ``peak`` and falls from there on.
"""

import time

import numpy as np
import tensorflow as tf

X = np.zeros((8, 1), np.float32)


def score(params, step):
    """Return what is evaluated at ``step``, as float32."""
    distance = np.float32(step) - np.float32(params.get("peak", 40))
    return np.float32(params["height"]) - np.float32(0.001) * np.abs(distance)


def model_fn(features, labels, mode, params):
    step = tf.compat.v1.train.get_or_create_global_step()
    weight = tf.compat.v1.get_variable("weight", [])
    distance = tf.cast(step, tf.float32) - params.get("peak", 40)
    value = tf.constant(params["height"], tf.float32) - 0.001 * tf.abs(distance)
    rows = tf.zeros_like(features["x"][:, 0])
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"score": rows + value, "step": rows + tf.cast(step, tf.float32)}
        outputs = {"serving_default": tf.estimator.export.PredictOutput(predictions)}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
    loss = weight**2 + 0.0 * tf.reduce_sum(labels)
    metrics = {
        "score": tf.compat.v1.metrics.mean(value),
        "size": tf.compat.v1.metrics.mean(tf.cast(step, tf.float32)),
    }
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)

    class Slow(tf.compat.v1.train.SessionRunHook):
        def before_run(self, run_context):
            time.sleep(params.get("sleep", 0.0))

    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, training_hooks=[Slow()]
    )


def _rows():
    return tf.data.Dataset.from_tensor_slices(({"x": X}, X[:, 0]))


def train_input_fn(params):
    return _rows().repeat().batch(8)


def eval_input_fn(params):
    return _rows().batch(8)


def serving_input_receiver_fn():
    columns = {"x": tf.compat.v1.placeholder(tf.float32, [None, 1], "x")}
    return tf.estimator.export.ServingInputReceiver(columns, columns)
