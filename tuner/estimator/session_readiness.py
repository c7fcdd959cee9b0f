"""What TensorFlow asks a new session although the answer is known: which variables are not initialized.

It asks twice, before the local variables are initialized and after. Each question is a part of the graph, and
its first run prunes, places and optimizes it: together a twelfth of the CPU time of a short trial. If all
variables are initialized by the operations of TensorFlow's own Scaffold, or restored by a saver of all of
them, the answer can only be "none", because these operations fail otherwise. Wherever it could be another
one, TensorFlow asks as ever.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from tuner.estimator.one_task import sole_task
from tuner.estimator.patch import patched

_ASSIGNS = frozenset({"AssignVariableOp", "Assign"})
_GIVEN = ("init_op", "ready_op", "ready_for_local_init_op", "local_init_op", "resources", "local_resources")
_NOT_BUILT = object()  # keeps Scaffold.finalize from building a question


@contextmanager
def skip_readiness_check() -> Iterator[None]:
    """Leave the questions out of the sessions that are made meanwhile, if the answers are known.

    For processes that make their sessions themselves; one that waits for a chief's has to ask.
    """
    known: WeakSet[Any] = WeakSet()

    def finalize(original: Any, scaffold: Any) -> Any:
        if scaffold not in known and not _initializes_all(scaffold):
            return original(scaffold)
        known.add(scaffold)  # a session that breaks down is made again, with the same scaffold
        scaffold._ready_op = scaffold._ready_for_local_init_op = _NOT_BUILT
        try:
            return original(scaffold)
        finally:
            scaffold._ready_op = scaffold._ready_for_local_init_op = None  # which SessionManager takes for ready

    with patched("tensorflow.python.training.monitored_session:Scaffold.finalize", "session_readiness", finalize):
        yield


def _initializes_all(scaffold: Any) -> bool:
    """Whether a session that a scaffold has initialized or restored can only be ready."""
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    pieces = (scaffold.init_op, scaffold.ready_op, scaffold.ready_for_local_init_op, scaffold.local_init_op)
    return bool(
        _is_alone(os.environ.get("TF_CONFIG", ""))
        and type(scaffold) is tf.compat.v1.train.Scaffold
        and all(piece is None for piece in pieces)
        and not any(graph.get_collection(name) for name in _GIVEN)
        and not tf.distribute.has_strategy()
        and all(map(_assigned, (*tf.compat.v1.global_variables(), *tf.compat.v1.local_variables())))
        and _restores_all(scaffold.saver or next(iter(graph.get_collection("savers")), None))
    )


def _is_alone(tf_config: str) -> bool:
    """Whether no other process may make or restore the variables."""
    return '"cluster"' not in tf_config or bool(sole_task(tf_config))


def _assigned(variable: Any) -> bool:
    """Whether the initializer of a variable gives it a value, whatever else there is."""
    operation = getattr(variable, "initializer", None)
    return operation is not None and operation.type in _ASSIGNS and operation.inputs[0].op is variable.op


def _restores_all(saver: Any) -> bool:
    """Whether a saver restores all global variables; None is TensorFlow's own, which does."""
    import tensorflow as tf

    if saver is None:
        return True
    if type(saver) is not tf.compat.v1.train.Saver:
        return False
    if saver._var_list is None:  # made of all that there are when the scaffold is finalized
        return True
    saved = saver._var_list.values() if isinstance(saver._var_list, dict) else saver._var_list
    operations = {getattr(each, "op", None) for each in saved}
    return all(variable.op in operations for variable in tf.compat.v1.global_variables())
