"""What a model's serving_input_receiver_fn has built: what a server is given, and the features that become of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from tuner.export.held_out_rows import by_rows
from tuner.export.receiver_feed import Key, Receiver
from tuner.export.signature import TensorShape


class Serving:
    """The serving part of a graph that is exported, the default one where this is made.

    Args:
        receiver: What serving_input_receiver_fn returned.
        config: Of the sessions that run it.

    Attributes:
        receivers: What a server is given, by name.
        names: Name of a tensor to the receiver that it is.
    """

    def __init__(self, receiver: Any, config: Any) -> None:
        import tensorflow as tf

        self._tensors = dict(receiver.receiver_tensors)
        self._features = receiver.features
        self._graph = tf.compat.v1.get_default_graph()
        self._config = config
        features = self._features if isinstance(self._features, Mapping) else {"feature": self._features}
        by_tensor: dict[str, Hashable] = {}
        for name, feature in features.items():
            by_tensor.setdefault(_name(feature), name)
        self.names = {_name(tensor): name for name, tensor in self._tensors.items()}
        self.receivers = {
            name: Receiver(described(tensor), by_tensor.get(_name(tensor)), _examples(self._graph, tensor, by_tensor))
            for name, tensor in self._tensors.items()
        }

    def features_of(self, fed: Mapping[str, Any]) -> dict[Hashable, Any]:
        """Return the features that become of what a server is given, as ``rows`` has them.

        Args:
            fed: Receiver's name to values.
        """
        import tensorflow as tf

        with tf.compat.v1.Session(graph=self._graph, config=self._config) as session:
            session.run(self._graph.get_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS))
            found = session.run(self._features, {self._tensors[name]: values for name, values in fed.items()})
        return by_rows(found)


def described(tensor: Any) -> TensorShape:
    """Return type and shape of a tensor of a graph."""
    import tensorflow as tf

    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorShape(tensor.dtype.base_dtype.name, shape, not isinstance(tensor, tf.Tensor))


def _name(tensor: Any) -> str:
    """Return the name of a tensor; of one that is made up of several, that of its values."""
    found = getattr(tensor, "values", None)
    found = getattr(tensor, "flat_values", found)
    name: str = (tensor if found is None else found).name
    return name


def _examples(graph: Any, tensor: Any, by_tensor: Mapping[str, Hashable]) -> dict[str, Key]:
    """Return what the graph parses from a tensor as serialised Examples; nothing if it does not.

    Args:
        graph: Where it is.
        tensor: What a server is given.
        by_tensor: Name of a tensor to the feature that it is.
    """
    import tensorflow as tf

    keys: dict[str, Key] = {}
    if not isinstance(tensor, tf.Tensor):
        return keys
    for operation in graph.get_operations():
        if operation.type != "ParseExampleV2" or not _stems_from(operation.inputs[0], tensor):
            continue
        sparse, dense, ragged = (tf.get_static_value(names) for names in list(operation.inputs)[2:5])
        if any(names is None for names in (sparse, dense, ragged)):
            continue
        # Its outputs, in order: indices, values and shapes of the sparse; the dense; values and splits of the ragged.
        values = [output.name for output in operation.outputs]
        first, after = 3 * len(sparse), 3 * len(sparse) + len(dense)
        found = [
            (sparse, operation.get_attr("sparse_types"), values[len(sparse) : 2 * len(sparse)], True),
            (dense, operation.get_attr("Tdense"), values[first:after], False),
            (ragged, operation.get_attr("ragged_value_types"), values[after : after + len(ragged)], True),
        ]
        for names, types, outputs, listed in found:
            for name, dtype, output in zip(names, types, outputs, strict=True):
                key = name.decode()
                keys[key] = Key(by_tensor.get(output, key), tf.as_dtype(dtype).name, listed)
    return keys


def _stems_from(tensor: Any, source: Any) -> bool:
    """Whether a tensor is computed from another one, or is it."""
    waiting, seen = [tensor], set()
    while waiting:
        one = waiting.pop()
        if one.name == source.name:
            return True
        if one.name not in seen:
            seen.add(one.name)
            waiting.extend(one.op.inputs)
    return False
