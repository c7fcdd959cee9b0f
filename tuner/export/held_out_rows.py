"""Held-out rows for the check of an export: what the evaluation's input gives, and what the Estimator predicts for it.

Features come in one of two forms: an array whose first dimension is the row, or, if rows have
several values and not all the same number (sparse and ragged tensors), a list with an array for each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuner.export.parity_check import difference

ENOUGH = 64  # rows; whole batches are taken until there are so many


@dataclass(frozen=True)
class Rows:
    """Rows as the evaluation's input gives them.

    Attributes:
        features: Name to values; what is neither an array of rows nor a list for each is left out.
        predictions: Name to the Estimator's predictions, arrays; those that have no value for each row are left out.
    """

    features: Mapping[Hashable, Any]
    predictions: Mapping[Hashable, np.ndarray]


def held_out(estimator: Any, eval_input_fn: Callable[..., Any]) -> Rows:
    """Return rows of the evaluation's input with the Estimator's predictions.

    The features are fetched in the very runs that predict, so a shuffled input is no harm.
    """
    import tensorflow as tf

    seen: list[Any] = []
    tensors: dict[str, Any] = {}

    class Fetch(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
        def before_run(self, run_context: Any) -> Any:
            del run_context
            return tf.compat.v1.train.SessionRunArgs(tensors["features"])

        def after_run(self, run_context: Any, run_values: Any) -> None:
            del run_context
            seen.append(run_values.results)

    def input_fn() -> Any:
        found = estimator._call_input_fn(eval_input_fn, tf.estimator.ModeKeys.EVAL)
        if isinstance(found, tf.data.Dataset):
            iterator = tf.compat.v1.data.make_initializable_iterator(found)
            # Where Estimators' sessions look for what is to be run first.
            tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
            found = iterator.get_next()
        features = found[0] if isinstance(found, (list, tuple)) else found
        tensors["features"] = features
        return features

    batches: list[Rows] = []
    count = 0
    for predicted in estimator.predict(input_fn, hooks=[Fetch()], yield_single_examples=False):
        batch = _batch(seen[len(batches)], predicted)
        if batches and not _join(batches[0], batch):
            break  # padded to another length than the ones before
        batches.append(batch)
        count += _count(batch.features)
        if count >= ENOUGH:
            break
    if not batches:
        return Rows({}, {})
    return Rows(_joined([batch.features for batch in batches]), _joined([batch.predictions for batch in batches]))


def by_rows(features: Any) -> dict[Hashable, Any]:
    """Return what a session gave for features, as this module has them.

    Args:
        features: A mapping, or one feature, which Estimators call ``feature``.
    """
    found = features if isinstance(features, Mapping) else {"feature": features}
    values = {name: _values(value) for name, value in found.items()}
    return {name: value for name, value in values.items() if value is not None}


def _values(value: Any) -> Any:
    """Return the values of one feature; None if it has none for each row."""
    if isinstance(value, np.ndarray):
        return value if value.ndim else None
    if hasattr(value, "dense_shape"):  # SparseTensorValue
        if len(value.dense_shape) != 2:
            return None
        ends = np.searchsorted(value.indices[:, 0], np.arange(1, value.dense_shape[0]))
        return np.split(value.values, ends) if value.dense_shape[0] else []
    if hasattr(value, "row_splits") and isinstance(value.values, np.ndarray) and value.values.ndim == 1:
        return np.split(value.values, value.row_splits[1:-1]) if len(value.row_splits) > 1 else []
    return None


def _count(features: Mapping[Hashable, Any]) -> int:
    """Return the number of rows; a feature that is one thing for the whole batch is outvoted."""
    counts = Counter(len(values) for values in features.values())
    return counts.most_common(1)[0][0] if counts else 0


def _batch(features: Any, predictions: Any) -> Rows:
    found = by_rows(features)
    count = _count(found)
    predicted = predictions if isinstance(predictions, Mapping) else {"output": predictions}
    return Rows(
        {name: values for name, values in found.items() if len(values) == count},
        {name: v for name, v in predicted.items() if isinstance(v, np.ndarray) and v.ndim and len(v) == count},
    )


def _join(first: Rows, batch: Rows) -> bool:
    """Whether two batches have the same things in the same shapes."""

    def shapes(rows: Rows) -> list[Any]:
        found = {"features": rows.features, "predictions": rows.predictions}
        return [
            (kind, name, value.shape[1:] if isinstance(value, np.ndarray) else None)
            for kind, values in found.items()
            for name, value in values.items()
        ]

    return shapes(first) == shapes(batch)


def _joined(batches: list[Mapping[Hashable, Any]]) -> dict[Hashable, Any]:
    joined: dict[Hashable, Any] = {}
    for name, first in batches[0].items():
        values = [batch[name] for batch in batches]
        joined[name] = np.concatenate(values) if isinstance(first, np.ndarray) else [row for v in values for row in v]
    return joined


def apart(expected: Any, found: Any) -> float:
    """Return how far the values of two features are from each other, as ``difference`` does.

    What is an array on one side and a list on the other is compared row by row, without padding.
    """
    if isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
        return difference(expected, found)
    if len(expected) != len(found):
        return float("inf")
    one_alone = isinstance(expected, np.ndarray) != isinstance(found, np.ndarray)
    take = unpadded if one_alone else np.ravel
    return max((difference(take(a), take(b)) for a, b in zip(expected, found, strict=True)), default=0.0)


def unpadded(row: np.ndarray) -> np.ndarray:
    """Return a row without what it ends in to be as long as others.

    That is an empty string or -1, which feature columns ignore.
    """
    row = np.ravel(row)
    empty = [value in (b"", "", -1) for value in row.tolist()]
    return row[: len(empty) - next((i for i, one in enumerate(reversed(empty)) if not one), len(empty))]
