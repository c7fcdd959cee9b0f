"""A real Estimator whose evaluations are the formula of the truth tests, at its global step."""

import numpy as np
import tensorflow as tf

from tests.truth import formula

X = np.zeros((4, 1), np.float32)


def model_fn(features, labels, mode, params):
    step = tf.compat.v1.train.get_or_create_global_step()
    weight = tf.compat.v1.get_variable("weight", [])
    loss = weight**2 + 0.0 * tf.reduce_sum(features) + 0.0 * tf.reduce_sum(labels)

    def metric(tag):
        def evaluated(at):
            return np.float32(formula.at(params, int(at))[tag])

        return tf.compat.v1.metrics.mean(tf.compat.v1.py_func(evaluated, [step], tf.float32))

    metrics = {tag: metric(tag) for tag in ("score", "size")}
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def train_input_fn(params):
    return tf.data.Dataset.from_tensor_slices((X, X[:, 0])).repeat().batch(4)


def eval_input_fn(params):
    return tf.data.Dataset.from_tensor_slices((X, X[:, 0])).batch(4)
