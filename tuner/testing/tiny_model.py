"""A real Estimator that trains in a fraction of a second: a linear regression on 64 rows.

Parameters: ``learning_rate``; ``sleep``, seconds a step takes beyond its own; ``fault``, ``raise`` to
raise in ``model_fn``, ``environment`` to raise what the trial's environment says of GPUs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

_RANDOM = np.random.RandomState(0)
_X = _RANDOM.uniform(-1, 1, (64, 3)).astype(np.float32)
_Y = (_X @ np.array([1.0, -2.0, 0.5], np.float32)).astype(np.float32)


def model_fn(features: Any, labels: Any, mode: str, params: Mapping[str, Any]) -> Any:
    """Return the EstimatorSpec of a mode."""
    import tensorflow as tf

    if params.get("fault") == "raise":
        raise ValueError("this model always fails")
    if params.get("fault") == "environment":
        names = ("CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH")
        raise ValueError(" ".join(os.environ.get(name, "unset") for name in names))
    weights = tf.compat.v1.get_variable("weights", [3, 1])
    output = tf.squeeze(tf.matmul(features, weights), 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": output})
    loss = tf.reduce_mean((labels - output) ** 2)
    metrics = {"rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, output)}
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(params["learning_rate"]).minimize(loss, step)

    class Slow(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
        def before_run(self, run_context: Any) -> None:
            del run_context
            time.sleep(params.get("sleep", 0.0))

    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, training_hooks=[Slow()]
    )


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the rows, shuffled, without end."""
    import tensorflow as tf

    del params
    return tf.data.Dataset.from_tensor_slices((_X, _Y)).shuffle(64).repeat().batch(16)


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the rows once."""
    import tensorflow as tf

    del params
    return tf.data.Dataset.from_tensor_slices((_X, _Y)).batch(64)
