"""A real Estimator that is given strings beside a feature of several dimensions, and may not say how many."""

import numpy as np
import tensorflow as tf

_RANDOM = np.random.RandomState(0)
PIXELS = _RANDOM.uniform(-1, 1, (64, 2, 3)).astype(np.float32)
KINDS = _RANDOM.choice(["u", "v", "w\u00e9"], 64)
Y = (PIXELS.sum((1, 2)) + (KINDS == "u")).astype(np.float32)


def model_fn(features, labels, mode, params):
    pixels = tf.reshape(features["pixels"], [-1, 6])
    is_u = tf.cast(tf.equal(features["kind"], "u"), tf.float32)
    weights = tf.compat.v1.get_variable("weights", [6, 1], initializer=tf.compat.v1.glorot_uniform_initializer())
    output = tf.squeeze(tf.matmul(pixels, weights), 1) + is_u
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"y": output, "kind": tf.strings.join([features["kind"], "!"])}
        outputs = {"serving_default": tf.estimator.export.PredictOutput(predictions)}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
    loss = tf.reduce_mean((labels - output) ** 2)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _rows():
    return tf.data.Dataset.from_tensor_slices(({"pixels": PIXELS, "kind": KINDS}, Y))


def train_input_fn(params):
    return _rows().repeat().batch(16)


def eval_input_fn(params):
    return _rows().batch(16)


def serving_input_receiver_fn(params):
    shape = [None, 2, 3] if params["says_shape"] else None
    given = {
        "pixels": tf.compat.v1.placeholder(tf.float32, shape, "pixels"),
        "kind": tf.compat.v1.placeholder(tf.string, [None], "kind"),
    }
    return tf.estimator.export.ServingInputReceiver(given, given)
