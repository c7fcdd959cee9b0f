"""House prices with a Keras model that becomes an Estimator.

    tuner run search_spaces/housing_keras.yaml

Parameters: ``learning_rate``, ``layers``, ``units``, ``activation``, ``batch_size``. The evaluation has
the tags that ``compile`` names: here ``root_mean_squared_error`` and ``mae``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tuner.examples import housing
from tuner.examples.housing_data import FEATURES


def keras_model_fn(params: Mapping[str, Any]) -> Any:
    """Return the compiled model: raw columns in, value in 100,000 dollars out, shape (batch, 1)."""
    inputs = {name: tf.keras.layers.Input(shape=(1,), name=name) for name in FEATURES}
    joined = tf.keras.layers.Concatenate()([inputs[name] for name in FEATURES])
    mean, scale = housing.HOUSING.mean, 1.0 / housing.HOUSING.deviation
    hidden = tf.keras.layers.Lambda(lambda raw: tf.clip_by_value((raw - mean) * scale, -5.0, 5.0))(joined)
    for _ in range(params["layers"]):
        hidden = tf.keras.layers.Dense(params["units"], activation=params["activation"])(hidden)
    value = tf.keras.layers.Dense(1, name="value")(hidden)
    model = tf.keras.Model(inputs, value)
    model.compile(
        optimizer=tf.keras.optimizers.legacy.Adam(params["learning_rate"]),
        loss=tf.keras.losses.Huber(),
        metrics=[tf.keras.metrics.RootMeanSquaredError(), "mae"],
    )
    return model


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the training rows with columns of shape (batch, 1)."""
    return housing.train_input_fn(params).map(_as_columns)


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the validation rows once."""
    return housing.eval_input_fn(params).map(_as_columns)


def _as_columns(features: Mapping[str, Any], labels: Any) -> Any:
    return {name: tf.expand_dims(column, 1) for name, column in features.items()}, tf.expand_dims(labels, 1)


def serving_input_receiver_fn() -> Any:
    """Take one float column for each feature, shape (batch, 1)."""
    received = {name: tf.compat.v1.placeholder(tf.float32, [None, 1], name) for name in FEATURES}
    return tf.estimator.export.ServingInputReceiver(received, received)
