"""Handwritten digits: a classifier whose loss may be aware of what it confuses.

    tuner run search_spaces/digits.yaml

The 1,797 images of 8 by 8 pixels come with scikit-learn, which MLflow brings. Parameters:
``learning_rate``, ``units``, ``loss`` (``cross_entropy``; ``focal``, which looks at what is hard;
``confusion``, which adds the expected cost of confusing digits that look alike), ``batch_size``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

CLASSES = 10
ALIKE = ((1, 7), (3, 8), (3, 9), (4, 9), (5, 6), (8, 9))  # pairs that cost twice as much when confused


@cache
def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images, float32 of shape (1797, 64) from 0 to 1, and labels, int64, in a fixed random order."""
    from sklearn.datasets import load_digits as load

    found = load()
    order = np.random.RandomState(8).permutation(len(found.target))
    return (found.data[order] / 16).astype(np.float32), found.target[order].astype(np.int64)


IMAGES, LABELS = load_digits()
TRAIN = 1347  # the first rows; the rest are for validation


def model_fn(features: Any, labels: Any, mode: str, params: Mapping[str, Any]) -> Any:
    """Build the graph of a mode.

    Args:
        features: Pixels, shape (batch, 64).
        labels: Digits, shape (batch,); None when predicting.
        mode: One of ``tf.estimator.ModeKeys``.
        params: The trial's parameters.
    """
    hidden = tf.keras.layers.Dense(params["units"], activation="relu")(features)
    logits = tf.keras.layers.Dense(CLASSES)(hidden)
    digits = tf.argmax(logits, axis=1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"digit": digits, "probabilities": tf.nn.softmax(logits)}
        return tf.estimator.EstimatorSpec(
            mode,
            predictions=predictions,
            export_outputs={"serving_default": tf.estimator.export.PredictOutput(predictions)},
        )
    loss = LOSSES[params["loss"]](labels, logits)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics(labels, digits))
    optimizer = tf.compat.v1.train.AdamOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, tf.compat.v1.train.get_or_create_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def metrics(labels: Any, digits: Any) -> dict[str, Any]:
    """Return accuracy, and precision and recall averaged over the digits."""
    found = {"accuracy": tf.compat.v1.metrics.accuracy(labels, digits)}
    ones = [(tf.equal(labels, digit), tf.equal(digits, digit)) for digit in range(CLASSES)]
    for name, metric in (("precision", tf.compat.v1.metrics.precision), ("recall", tf.compat.v1.metrics.recall)):
        values, updates = zip(*[metric(is_one, says_one) for is_one, says_one in ones], strict=True)
        found[name] = (tf.reduce_mean(tf.stack(values)), tf.group(*updates))
    return found


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Return the mean cross entropy; a scalar."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def focal(labels: Any, logits: Any) -> Any:
    """Return the cross entropy in which images that are easy count little (Lin et al. 2017); a scalar."""
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean((1.0 - tf.exp(-entropy)) ** 2 * entropy)


def confusion(labels: Any, logits: Any) -> Any:
    """Return the cross entropy and the expected cost of confusing digits that look alike; a scalar."""
    cost = np.ones((CLASSES, CLASSES), np.float32) - np.eye(CLASSES, dtype=np.float32)
    for one, other in ALIKE:
        cost[one, other] = cost[other, one] = 2.0
    expected = tf.reduce_sum(tf.gather(cost, labels) * tf.nn.softmax(logits), axis=1)
    return cross_entropy(labels, logits) + tf.reduce_mean(expected)


LOSSES = {"cross_entropy": cross_entropy, "focal": focal, "confusion": confusion}


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the training images, shuffled anew each time through, without end."""
    rows = tf.data.Dataset.from_tensor_slices((IMAGES[:TRAIN], LABELS[:TRAIN]))
    return rows.shuffle(TRAIN).repeat().batch(params["batch_size"])


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the validation images once."""
    del params
    return tf.data.Dataset.from_tensor_slices((IMAGES[TRAIN:], LABELS[TRAIN:])).batch(450)


def serving_input_receiver_fn() -> Any:
    """Take pixels from 0 to 1, shape (batch, 64)."""
    pixels = tf.compat.v1.placeholder(tf.float32, [None, 64], "pixels")
    return tf.estimator.export.TensorServingInputReceiver(pixels, {"pixels": pixels})
