"""A real Estimator whose objective is of a type, a shape or a value that few expect."""

import tensorflow as tf


def model_fn(features, labels, mode, params):
    step = tf.compat.v1.train.get_or_create_global_step()
    weight = tf.compat.v1.get_variable("weight", [1])
    loss = tf.reduce_mean((labels - features * weight) ** 2)
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    now, end = tf.cast(step, tf.float32), tf.cast(params["end"], tf.float32)
    values = {
        "float16": tf.cast(now, tf.float16),
        "bfloat16": tf.cast(now, tf.bfloat16),
        "bool": now > 0,
        "string": tf.constant("good"),
        "vector": tf.stack([now, now]),
        "inf": tf.where(now < end, 100.0 - now, float("inf")),
        "-inf": tf.where(now < end, 100.0 - now, float("-inf")),
        "first_inf": tf.where(now < end, float("-inf"), 100.0 - now),
        "number": 100.0 - now,
    }
    metrics = {"score": (values[params["what"]], tf.no_op()), "one": tf.compat.v1.metrics.mean(1.0)}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def train_input_fn(params):
    return tf.data.Dataset.from_tensors((tf.ones([4]), tf.ones([4]))).repeat()


def eval_input_fn(params):
    return tf.data.Dataset.from_tensors((tf.ones([4]), tf.ones([4])))
