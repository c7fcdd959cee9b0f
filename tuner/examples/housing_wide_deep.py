"""House prices with a canned Estimator, wide and deep: crossed places beside a network on the rest.

    tuner run search_spaces/housing_wide_deep.yaml

Parameters: ``units`` (a list, one entry a hidden layer), ``learning_rate`` of the deep part,
``linear_rate`` of the wide part, ``places`` (buckets of latitude and of longitude), ``dropout``,
``batch_size``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tuner.examples import housing
from tuner.examples.housing_data import FEATURES

train_input_fn = housing.train_input_fn
eval_input_fn = housing.eval_input_fn


def estimator_fn(params: Mapping[str, Any], config: Any) -> Any:
    """Return the canned Estimator with metrics of its own added."""
    deep, wide = columns(params["places"])
    estimator = tf.estimator.DNNLinearCombinedRegressor(
        config=config,
        linear_feature_columns=wide,
        linear_optimizer=tf.keras.optimizers.legacy.Ftrl(params["linear_rate"]),
        dnn_feature_columns=deep,
        dnn_hidden_units=params["units"],
        dnn_optimizer=tf.keras.optimizers.legacy.Adagrad(params["learning_rate"]),
        dnn_dropout=params["dropout"] or None,
    )
    return tf.estimator.add_metrics(estimator, errors)


def columns(places: int) -> tuple[list[Any], list[Any]]:
    """Return the columns of the deep part and those of the wide part.

    Args:
        places: Buckets of latitude and of longitude.
    """
    mean, deviation = housing.HOUSING.mean, housing.HOUSING.deviation
    deep = [
        tf.feature_column.numeric_column(name, normalizer_fn=_standardise(float(m), float(d)))
        for name, m, d in zip(FEATURES, mean, deviation, strict=True)
    ]
    crossed = [_buckets(name, places) for name in ("Latitude", "Longitude")]
    wide = [*crossed, tf.feature_column.crossed_column(crossed, hash_bucket_size=places * places)]
    return deep, wide


def errors(labels: Any, predictions: Mapping[str, Any]) -> dict[str, Any]:
    """Return rmse and mae of the predicted values, in 100,000 dollars."""
    values = tf.squeeze(predictions["predictions"], 1)
    squared, absolute = tf.keras.metrics.RootMeanSquaredError(), tf.keras.metrics.MeanAbsoluteError()
    squared.update_state(labels, values)
    absolute.update_state(labels, values)
    return {"rmse": squared, "mae": absolute}


def _standardise(mean: float, deviation: float) -> Any:
    return lambda column: tf.clip_by_value((column - mean) / deviation, -5.0, 5.0)


def _buckets(name: str, count: int) -> Any:
    """Return a column of buckets that hold the same number of training rows."""
    values = housing.HOUSING.train.features[:, FEATURES.index(name)]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    return tf.feature_column.bucketized_column(tf.feature_column.numeric_column(name), edges.tolist())


def serving_input_receiver_fn() -> Any:
    """Take one float column for each feature, shape (batch,), in the units of the file."""
    return housing.serving_input_receiver_fn()
