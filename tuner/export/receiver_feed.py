"""How held-out rows are fed to what the model's serving_input_receiver_fn takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuner.export.held_out_rows import apart, unpadded
from tuner.export.signature import TensorShape


class Unfed(Exception):
    """Held-out rows cannot be fed to the server; says why."""


@dataclass(frozen=True)
class Key:
    """A feature of serialised Examples.

    Attributes:
        feature: Name of the model's feature that becomes of it.
        dtype: Name of TensorFlow's type: float32, int64 or string.
        listed: Whether an Example may have any number of values of it.
    """

    feature: Hashable
    dtype: str
    listed: bool


@dataclass(frozen=True)
class Receiver:
    """One thing that a server is given.

    Attributes:
        tensor: Its type and shape.
        feature: Name of the model's feature that it is as it stands, or None.
        examples: Where it takes serialised Examples: what is parsed from them, by key. Empty if it takes others.
    """

    tensor: TensorShape
    feature: Hashable | None = None
    examples: Mapping[str, Key] | None = None


def feed(receivers: Mapping[str, Receiver], features: Mapping[Hashable, Any]) -> dict[str, np.ndarray]:
    """Return what a server is given for rows that have these features.

    Serialised Examples if that is what it parses; else the feature that it passes on, or that has its
    name; else one for one if there is one of each; else Examples if it takes a single string.

    Args:
        receivers: By name.
        features: As ``rows`` has them.

    Returns:
        Receiver's name to values, one for each row; fewer rows if it takes a number of its own at a time.

    Raises:
        Unfed: It cannot be said.
    """
    if not receivers:
        raise Unfed("the server takes nothing")
    fed = {name: _fed(name, receivers, features) for name in receivers}
    sizes = {receiver.tensor.rows for receiver in receivers.values()} - {None}
    there = min(len(values) for values in fed.values())
    if len(sizes) > 1 or any(size is None or size > there for size in sizes):
        raise Unfed(f"the server takes {_names(sorted(map(str, sizes)))} rows at a time, of which {there} are held out")
    count = next(iter(sizes), there)
    return {name: values[:count] for name, values in fed.items()}


def same_features(expected: Mapping[Hashable, Any], found: Mapping[Hashable, Any], tolerance: float) -> None:
    """Make sure that what a server was fed became the features that the evaluation's input has.

    Else predictions that differ would say nothing of the export.

    Args:
        expected: Features of the evaluation's input.
        found: Features that the serving_input_receiver_fn made; may be of fewer rows.
        tolerance: As ``difference`` counts.

    Raises:
        Unfed: They differ, or there are none to compare.
    """
    both = [name for name in expected if name in found]
    if not both:
        raise Unfed(
            f"serving_input_receiver_fn makes the features {_names(found)}, the evaluation's input {_names(expected)}"
        )
    for name in both:
        if apart(expected[name][: len(found[name])], found[name]) > tolerance:
            raise Unfed(
                f"serving_input_receiver_fn makes another {str(name)!r} of a row than the evaluation's input has"
            )


def _fed(name: str, receivers: Mapping[str, Receiver], features: Mapping[Hashable, Any]) -> np.ndarray:
    receiver, alone = receivers[name], len(receivers) == 1
    if receiver.examples:
        return examples(features, receiver.examples)
    for feature in (receiver.feature, name):
        if feature is not None and feature in features:
            return _fitted(name, features[feature], receiver.tensor)
    if alone and len(features) == 1:
        (values,) = features.values()
        if (_kind(values) == "string") == (receiver.tensor.dtype == "string"):
            return _fitted(name, values, receiver.tensor)
    if alone and receiver.tensor.dtype == "string":
        return examples(features, {str(f): Key(f, _kind(v), isinstance(v, list)) for f, v in features.items()})
    raise Unfed(f"the server takes {_names(receivers)}, the evaluation's input has {_names(features)}")


def _names(names: Any) -> str:
    return ", ".join(map(str, names)) or "nothing"


def _kind(values: Any) -> str:
    """Return the type that Examples have for a feature's values."""
    kinds = {np.asarray(row).dtype.kind for row in ([values] if isinstance(values, np.ndarray) else values)}
    if kinds & set("OSU"):
        return "string"
    return "float32" if "f" in kinds else "int64"


def _fitted(name: str, values: Any, tensor: TensorShape) -> np.ndarray:
    """Return values in a tensor's type and, if only dimensions of one differ, its shape."""
    if tensor.sparse or not isinstance(values, np.ndarray):
        raise Unfed(f"{name} is sparse or ragged")
    if (_kind(values) == "string") != (tensor.dtype == "string"):
        raise Unfed(f"the server takes {name} as {tensor.dtype}, the evaluation's input has it as {_kind(values)}")
    fitted: np.ndarray = values
    if tensor.dtype not in ("string", "bfloat16") and fitted.dtype.kind in "biuf":
        fitted = fitted.astype(tensor.dtype)
    if tensor.shape is not None and fitted.ndim != len(tensor.shape):
        wanted = [-1 if size is None else size for size in tensor.shape[1:]]
        if -1 not in wanted and fitted.size == len(fitted) * int(np.prod(wanted)):
            fitted = fitted.reshape([len(fitted), *wanted])
    return fitted


def examples(features: Mapping[Hashable, Any], keys: Mapping[str, Key]) -> np.ndarray:
    """Return rows as serialised ``tf.train.Example``; an object array of bytes, shape (rows,).

    A feature that the rows do not have is left out of them: whoever parses them may have a default.

    Raises:
        Unfed: The rows have none of the features, or one of another type.
    """
    import tensorflow as tf

    there = {key: spec for key, spec in keys.items() if spec.feature in features}
    if not there:
        wanted = _names(spec.feature for spec in keys.values())
        raise Unfed(f"the server takes Examples of {wanted}, the evaluation's input has {_names(features)}")
    for key, spec in there.items():
        found = _kind(features[spec.feature])
        if (found == "string") != (spec.dtype == "string"):
            raise Unfed(f"the server parses {key} as {spec.dtype}, the evaluation's input has it as {found}")
    count = min(len(features[spec.feature]) for spec in there.values())
    serialized = np.empty(count, object)
    for row in range(count):
        example = tf.train.Example()
        for key, spec in there.items():
            found = features[spec.feature]
            values = (unpadded if spec.listed and isinstance(found, np.ndarray) else np.ravel)(found[row]).tolist()
            feature = example.features.feature[key]
            if spec.dtype == "string":
                feature.bytes_list.value.extend(v.encode() if isinstance(v, str) else v for v in values)
            elif spec.dtype == "int64":
                feature.int64_list.value.extend(map(int, values))
            else:
                feature.float_list.value.extend(map(float, values))
        serialized[row] = example.SerializeToString(deterministic=True)
    return serialized
