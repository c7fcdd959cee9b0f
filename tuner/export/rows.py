"""Held-out rows for the check of an export: what the evaluation's input gives, and what the Estimator predicts for it.

An Estimator built from a checkpoint comes in; features and predictions as arrays go out, and how the
features are fed to what the model's serving_input_receiver_fn takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuner.export.signature import TensorShape

ENOUGH = 64  # rows; whole batches are taken until there are so many


@dataclass(frozen=True)
class Rows:
    """Rows as the evaluation's input gives them.

    Attributes:
        features: Name to values, the first dimension being the row; sparse ones are left as TensorFlow gives them.
        predictions: Name to the Estimator's predictions.
    """

    features: Mapping[str, Any]
    predictions: Mapping[str, Any]


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

    predicted: list[Any] = []
    count = 0
    for batch in estimator.predict(input_fn, hooks=[Fetch()], yield_single_examples=False):
        predicted.append(batch if isinstance(batch, Mapping) else {"output": batch})
        count += len(next(iter(predicted[-1].values())))
        if count >= ENOUGH:
            break
    features = [one if isinstance(one, Mapping) else {"feature": one} for one in seen[: len(predicted)]]
    return Rows(_joined(features), _joined(predicted))


def _joined(batches: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Join batches; what is no array stays a list of what each batch had."""
    if not batches:
        return {}
    return {
        name: np.concatenate([batch[name] for batch in batches])
        if isinstance(batches[0][name], np.ndarray)
        else [batch[name] for batch in batches]
        for name in batches[0]
    }


def feed(receivers: Mapping[str, TensorShape], features: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return what a server is given for rows that have these features.

    By name where the names agree, one for one where there is one of each, and as serialised Examples
    where the server takes a single string.

    Returns:
        TensorShape's name to values; or nothing, and why.
    """
    by_name = {name: features[name] for name in receivers if name in features}
    if len(by_name) == len(receivers):
        chosen = by_name
    elif len(receivers) == 1 and len(features) == 1:
        chosen = {next(iter(receivers)): next(iter(features.values()))}
    elif len(receivers) == 1 and next(iter(receivers.values())).dtype == "string":
        return {next(iter(receivers)): examples(features)}, ""
    else:
        return {}, f"the server takes {_names(receivers)}, the evaluation's input has {_names(features)}"
    sparse = sorted(name for name, values in chosen.items() if not isinstance(values, np.ndarray))
    if sparse:
        return {}, f"{_names(sparse)} is sparse"
    return {name: _fitted(values, receivers[name]) for name, values in chosen.items()}, ""


def _names(names: Any) -> str:
    return ", ".join(map(str, names)) or "nothing"


def _fitted(values: Any, receiver: TensorShape) -> Any:
    """Return values in the receiver's type and, where only dimensions of one differ, its shape."""
    if receiver.dtype not in ("string", "bfloat16") and values.dtype.kind in "biuf":
        values = values.astype(receiver.dtype)
    if receiver.shape is not None and values.ndim != len(receiver.shape):
        wanted = [-1 if size is None else size for size in receiver.shape[1:]]
        if -1 not in wanted and values.size == len(values) * int(np.prod(wanted)):
            values = values.reshape([len(values), *wanted])
    return values


def examples(features: Mapping[str, Any]) -> Any:
    """Return rows as serialised ``tf.train.Example``; an object array of bytes, shape (rows,)."""
    import tensorflow as tf

    columns = {name: _lists(values) for name, values in features.items()}
    count = len(next(iter(columns.values())))
    serialized = np.empty(count, object)
    for row in range(count):
        example = tf.train.Example()
        for name, column in columns.items():
            values = column[row]
            feature = example.features.feature[name]
            if not values:
                continue
            if isinstance(values[0], (bytes, str)):
                feature.bytes_list.value.extend(v.encode() if isinstance(v, str) else v for v in values)
            elif isinstance(values[0], float):
                feature.float_list.value.extend(values)
            else:
                feature.int64_list.value.extend(map(int, values))
        serialized[row] = example.SerializeToString()
    return serialized


def _lists(values: Any) -> list[list[Any]]:
    """Return a feature as a list of values for each row."""
    if isinstance(values, np.ndarray):
        return [row.ravel().tolist() for row in values.reshape([len(values), -1])]
    rows: list[list[Any]] = []
    for batch in values:  # SparseTensorValue
        of_batch: list[list[Any]] = [[] for _ in range(int(batch.dense_shape[0]))]
        for index, value in zip(batch.indices, batch.values.tolist(), strict=True):
            of_batch[int(index[0])].append(value)
        rows += of_batch
    return rows
