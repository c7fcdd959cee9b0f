"""House prices as a lecture on custom Estimators writes them, with nothing of tuner in it.

    tuner run search_spaces/lecture.yaml

A ``model_fn`` with a switch over ``ModeKeys``; ``TrainSpec`` and ``EvalSpec`` of the model's own, with the number
of evaluation steps, a start delay, a throttle, and exporters; summaries for TensorBoard. The parameter
``kind`` chooses between that and a Keras model through ``model_to_estimator``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tuner.examples import housing, housing_keras
from tuner.examples.housing_data import FEATURES


def value_model_fn(features: Mapping[str, Any], labels: Any, mode: str, params: Mapping[str, Any]) -> Any:
    """Return the EstimatorSpec of a mode: one function, three graphs."""
    columns = tf.stack([tf.reshape(features[name], [-1]) for name in FEATURES], axis=1)
    scaled = tf.clip_by_value((columns - housing.HOUSING.mean) / housing.HOUSING.deviation, -5.0, 5.0)
    hidden = tf.compat.v1.layers.dense(scaled, params["units"], activation=tf.nn.relu)
    value = tf.squeeze(tf.compat.v1.layers.dense(hidden, 1), axis=1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"value": value}
        outputs = {"serving_default": tf.estimator.export.PredictOutput(predictions)}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
    loss = tf.compat.v1.losses.mean_squared_error(labels, value)
    if mode == tf.estimator.ModeKeys.EVAL:
        rmse = tf.compat.v1.metrics.root_mean_squared_error(labels, value)
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"rmse": rmse})
    tf.compat.v1.summary.scalar("mean_prediction", tf.reduce_mean(value))
    optimizer = tf.compat.v1.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.compat.v1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def estimator_fn(params: Mapping[str, Any], config: Any) -> Any:
    """Return the Estimator: the custom one, or a Keras model made into one."""
    if params["kind"] == "keras":
        keras = {"layers": 1, "activation": "relu", **params}
        model = housing_keras.keras_model_fn(keras)
        estimator = tf.keras.estimator.model_to_estimator(keras_model=model, config=config)
        return tf.estimator.add_metrics(estimator, _rmse)
    return tf.estimator.Estimator(value_model_fn, config=config, params=params)


def _rmse(labels: Any, predictions: Mapping[str, Any]) -> Mapping[str, Any]:
    metric = tf.keras.metrics.RootMeanSquaredError()
    metric.update_state(tf.reshape(labels, [-1]), tf.reshape(predictions["value"], [-1]))
    return {"rmse": metric}


def _rows(params: Mapping[str, Any]) -> Any:
    return housing_keras if params["kind"] == "keras" else housing


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the training rows without end."""
    return _rows(params).train_input_fn(params)


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the validation rows once."""
    return _rows(params).eval_input_fn(params)


def serving_input_receiver_fn(params: Mapping[str, Any]) -> Any:
    """Take one float column for each feature, as the Estimator that was chosen wants it."""
    return _rows(params).serving_input_receiver_fn()


def train_spec(params: Mapping[str, Any]) -> Any:
    """Say how long to train."""
    return tf.estimator.TrainSpec(lambda: train_input_fn(params), max_steps=params["train_steps"])


def eval_spec(params: Mapping[str, Any]) -> Any:
    """Say how often to evaluate, on how much, and what to export."""
    receiver = _rows(params).serving_input_receiver_fn
    return tf.estimator.EvalSpec(
        lambda: eval_input_fn(params),
        steps=100,  # batches at most
        name="validation",
        exporters=[
            tf.estimator.LatestExporter("latest", receiver, exports_to_keep=1),
            tf.estimator.FinalExporter("final", receiver),
        ],
        start_delay_secs=0,
        throttle_secs=params["throttle_secs"],  # 0: every checkpoint, or the scheduler is blind
    )
