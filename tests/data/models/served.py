"""A real Estimator that a server can be given: columns in, numbers and strings out; its best step is not its last."""

import numpy as np
import tensorflow as tf

_RANDOM = np.random.RandomState(0)
X = _RANDOM.uniform(-1, 1, (256, 4)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5, 3.0], np.float32)).astype(np.float32)
NAMES = ("a", "b", "c", "d")


def model_fn(features, labels, mode, params):
    columns = tf.stack([tf.reshape(features[name], [-1]) for name in NAMES], axis=1)
    weights = tf.compat.v1.get_variable("weights", [4, 1], initializer=tf.compat.v1.glorot_uniform_initializer())
    output = tf.squeeze(tf.matmul(columns, weights), 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        noise = tf.random.uniform([]) if params.get("random") else 0.0
        predictions = {"y": output + noise, "text": tf.strings.as_string(output, precision=2)}
        outputs = {
            "serving_default": tf.estimator.export.PredictOutput(predictions),
            "regress": tf.estimator.export.RegressionOutput(output),
            "only_text": tf.estimator.export.PredictOutput({"text": predictions["text"]}),
        }
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
    loss = tf.reduce_mean((labels - output) ** 2)
    metrics = {"rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, output)}
    step = tf.compat.v1.train.get_or_create_global_step()
    # From `worse_from` on it unlearns.
    sign = tf.where(step < params.get("worse_from", 1 << 40), 1.0, -1.0)
    train_op = tf.compat.v1.train.GradientDescentOptimizer(params["learning_rate"] * sign).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def _rows():
    return tf.data.Dataset.from_tensor_slices(({name: X[:, i] for i, name in enumerate(NAMES)}, Y))


def train_input_fn(params):
    return _rows().shuffle(256).repeat().batch(32)


def eval_input_fn(params):
    return _rows().shuffle(256).batch(50)


def serving_input_receiver_fn():
    columns = {name: tf.compat.v1.placeholder(tf.float32, [None], name) for name in NAMES}
    return tf.estimator.export.ServingInputReceiver(columns, columns)
