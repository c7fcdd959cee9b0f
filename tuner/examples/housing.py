"""House prices with a custom Estimator: own layers, own loss, formatted predictions, own metrics.

    tuner run search_spaces/housing.yaml
    python -m tuner.examples.housing mlruns/sweeps/housing     # the best trial's error on rows that no trial has seen

``model_fn`` has one branch for each of Estimator's modes. Its parameters: ``learning_rate``,
``layers``, ``units``, ``optimizer`` (adam, ftrl, sgd), ``momentum`` (with sgd), ``batch_size``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tuner.examples.housing_data import FEATURES, FILE, LABEL, SPLIT_SEED, Rows, load_housing

HOUSING = load_housing()
CAP = 5.00001  # the census capped the values

Features = Mapping[str, Any]


def model_fn(features: Features, labels: Any, mode: str, params: Mapping[str, Any]) -> Any:
    """Build the graph of a mode.

    Args:
        features: One float column for each of ``FEATURES``, shape (batch,).
        labels: Median house value in 100,000 dollars, shape (batch,); None when predicting.
        mode: One of ``tf.estimator.ModeKeys``.
        params: The trial's parameters.
    """
    values = network(features, params)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return _predict_spec(values)
    loss = robust_loss(labels, values)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=_metrics(labels, values))
    train_op = _optimizer(params).minimize(loss, global_step=tf.compat.v1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def network(features: Features, params: Mapping[str, Any]) -> Any:
    """Return the predicted values in 100,000 dollars, shape (batch,).

    Raw columns come in: what standardises them is part of the graph, so it is exported with the model.
    """
    columns = tf.stack([tf.reshape(features[name], [-1]) for name in FEATURES], axis=1)
    hidden = (columns - HOUSING.mean) / HOUSING.deviation
    hidden = tf.clip_by_value(hidden, -5.0, 5.0)  # a few block groups have hundreds of people a household
    for index in range(params["layers"]):
        hidden = dense(hidden, params["units"], tf.nn.relu, f"hidden_{index}")
    return tf.squeeze(dense(hidden, 1, None, "value"), axis=1)


def dense(inputs: Any, units: int, activation: Any, name: str) -> Any:
    """Return ``activation(inputs @ weights + bias)``; shape (batch, units)."""
    with tf.compat.v1.variable_scope(name):
        weights = tf.compat.v1.get_variable(
            "weights", [inputs.shape[1], units], initializer=tf.compat.v1.glorot_uniform_initializer()
        )
        bias = tf.compat.v1.get_variable("bias", [units], initializer=tf.compat.v1.zeros_initializer())
    output = tf.matmul(inputs, weights) + bias
    return output if activation is None else activation(output)


def robust_loss(labels: Any, values: Any) -> Any:
    """Return the mean Huber loss: squared for small errors, linear beyond one unit; a scalar."""
    error = tf.abs(labels - values)
    near = tf.minimum(error, 1.0)
    return tf.reduce_mean(0.5 * near**2 + (error - near))


def _metrics(labels: Any, values: Any) -> dict[str, Any]:
    capped = tf.clip_by_value(values, 0.0, CAP)
    return {
        "rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, capped),
        "mae": tf.compat.v1.metrics.mean_absolute_error(labels, capped),
    }


def _predict_spec(values: Any) -> Any:
    capped = tf.clip_by_value(values, 0.0, CAP)
    dollars = tf.round(capped * 100_000.0)
    predictions = {
        "value": capped,
        "dollars": dollars,
        "text": tf.strings.join(["$", tf.strings.as_string(tf.cast(dollars, tf.int64))]),
    }
    outputs = tf.estimator.export.PredictOutput(predictions)
    key = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    return tf.estimator.EstimatorSpec(
        tf.estimator.ModeKeys.PREDICT, predictions=predictions, export_outputs={key: outputs}
    )


def _optimizer(params: Mapping[str, Any]) -> Any:
    """Return the optimizer with a rate that falls along half a cosine to the end of training."""
    step = tf.cast(tf.compat.v1.train.get_or_create_global_step(), tf.float32)
    share = tf.minimum(step / float(params.get("decay_steps", 3000)), 1.0)
    rate = params["learning_rate"] * (0.02 + 0.98 * 0.5 * (1.0 + tf.cos(share * 3.14159265)))
    if params["optimizer"] == "sgd":
        return tf.compat.v1.train.MomentumOptimizer(rate, params.get("momentum", 0.0))
    if params["optimizer"] == "ftrl":
        return tf.compat.v1.train.FtrlOptimizer(rate)
    return tf.compat.v1.train.AdamOptimizer(rate)


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the training rows, shuffled anew each time through, without end."""
    rows = _dataset(HOUSING.train)
    return rows.shuffle(4096).repeat().batch(params["batch_size"]).prefetch(2)


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the validation rows once."""
    del params
    return _dataset(HOUSING.validation).batch(1024)


def test_input_fn() -> Any:
    """Return the test rows once; nothing that is tuned may look at them."""
    return _dataset(HOUSING.test).batch(1024)


def _dataset(rows: Rows) -> Any:
    columns = {name: rows.features[:, index] for index, name in enumerate(FEATURES)}
    return tf.data.Dataset.from_tensor_slices((columns, rows.labels))


def dataset(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what MLflow shows of the data: where it is, its columns, how it was split."""
    del params
    return {
        "source": FILE,
        "schema": {**dict.fromkeys(FEATURES, "double"), LABEL: "double"},
        "rows": {part: len(getattr(HOUSING, part).labels) for part in ("train", "validation", "test")},
        "split": f"at random, seed {SPLIT_SEED}",
    }


def serving_input_receiver_fn() -> Any:
    """Take one float column for each feature, shape (batch,), in the units of the file."""
    columns = {name: tf.compat.v1.placeholder(tf.float32, [None], name) for name in FEATURES}
    return tf.estimator.export.ServingInputReceiver(columns, columns)


if __name__ == "__main__":
    from tuner.examples.housing_score import main

    main(sys.argv[1:])
