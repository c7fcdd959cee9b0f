"""Whether an evaluation does what another one did, and may do it in the session of that one.

The arguments of TensorFlow's ``_evaluate_once`` come in, with its graph the default one; a digest of
all that decides what it does goes out, or None if it needs a session of its own.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from tuner.estimator.input_checks import is_rows_hook, iterators
from tuner.estimator.session_reuse_graph import Computation

MAX_BYTES = 64 << 20  # of a graph, and of the variables of a session, that are kept while training goes on
_UNUSED_COLLECTIONS = (
    *("savers", "saveable_objects", "saved_model_initializers", "queue_runners", "eval_step"),
    *("init_op", "ready_op", "ready_for_local_init_op", "local_init_op", "resources", "local_resources"),
)


def is_plain_evaluation(call: dict[str, Any]) -> bool:
    """Whether an evaluation is done as Estimator does it by itself.

    Its variables come from a checkpoint by an ordinary saver and nothing else is in the scaffold, its
    hooks are Estimator's own, and no strategy, queue runner or resource of another kind takes part.
    """
    import tensorflow as tf

    graph, scaffold = tf.compat.v1.get_default_graph(), call["scaffold"]
    return bool(
        call["checkpoint_path"]
        and not call["master"]
        and call["eval_ops"] is not None
        and type(scaffold) is tf.compat.v1.train.Scaffold
        and all(value is None for name, value in vars(scaffold).items() if name != "_saver")
        and (scaffold.saver is None or _made_of_operations(scaffold.saver))
        and all(_hook_described(hook) is not None for hook in call["hooks"])
        and not tf.distribute.has_strategy()
        and not any(graph.get_collection(name) for name in _UNUSED_COLLECTIONS)
    )


def _made_of_operations(saver: Any) -> bool:
    """Whether all that a saver does when it restores is in the graph."""
    from tensorflow.python.training.saver import BulkSaverBuilder, Saver

    return type(saver) is Saver and type(saver._builder) is BulkSaverBuilder and saver.saver_def is not None


def small() -> bool:
    """Whether the default graph and its variables need little memory."""
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    constants = [op.outputs[0] for op in graph.get_operations() if op.type == "Const"]
    return _few_bytes(constants) and _few_bytes(_variables())


def _few_bytes(tensors: list[Any]) -> bool:
    sizes = [(tensor.shape.num_elements(), tensor.dtype.size) for tensor in tensors]
    return all(count is not None for count, _ in sizes) and sum(count * size for count, size in sizes) <= MAX_BYTES


def reuse_key(call: dict[str, Any]) -> bytes | None:
    """Return a digest of all that decides what an evaluation does, or None if its session cannot be used again.

    It can if all operations do the same in a used session, all variables are restored or local, the
    graph is small, and the files that a session reads but once have not changed.
    """
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    graph_def, saver = graph.as_graph_def(), call["scaffold"].saver
    local = sorted(variable.initializer.name for variable in tf.compat.v1.local_variables())
    tables = sorted(op.name for op in graph.get_collection("table_initializer"))
    hooks = [_hook_described(hook) for hook in call["hooks"]]
    fetches = [graph.as_graph_element(op).name for op in (call["eval_ops"], *call["final_ops"].values())]
    restore = [saver.saver_def.restore_op_name] if saver else []
    inputs = [iterator.initializer.name for iterator in iterators(call["hooks"])]
    run = {name.partition(":")[0] for name in (*restore, *local, *tables, *inputs, *fetches)}
    computation = Computation.of(graph_def, run)
    if graph_def.ByteSize() > MAX_BYTES or computation.obstacle:
        return None
    restored = Computation.of(graph_def, restore).variables if saver else _names(tf.compat.v1.global_variables())
    if not computation.variables <= restored | _names(tf.compat.v1.local_variables()):
        return None
    variables = sorted(map(_variable_described, _variables()))
    files = _read_once(computation)
    if files is None:
        return None
    said = (local, tables, hooks, fetches, list(call["final_ops"]), variables, files, str(graph_def.versions))
    protos = (saver.saver_def if saver else None, call["config"])
    return computation.digest(repr(said), *(proto.SerializeToString(deterministic=True) for proto in protos if proto))


def _names(variables: list[Any]) -> set[str]:
    return {variable.op.name for variable in variables}


def _variables() -> list[Any]:
    import tensorflow as tf

    return [*tf.compat.v1.global_variables(), *tf.compat.v1.local_variables()]


def _hook_described(hook: Any) -> Any:
    """Return what a hook does: the operation that it runs, numbers; None for a hook that is not known."""
    from tensorflow.python.training import evaluation
    from tensorflow_estimator.python.estimator import util

    if type(hook) is util._DatasetInitializerHook:
        return hook._iterator.initializer.name
    if type(hook) is evaluation._StopAfterNEvalsHook:
        return (hook._num_evals, hook._log_progress)
    return "rows" if is_rows_hook(hook) else None


def _variable_described(variable: Any) -> str:
    sliced = variable._get_save_slice_info()
    return f"{variable.name} {variable.dtype} {variable.shape} {sliced.spec if sliced else ''}"


def _read_once(computation: Computation) -> list[Any] | None:
    """Return what is in the files that a session reads once; None if they cannot be read or are large."""
    import tensorflow as tf

    seen: list[Any] = []
    try:
        for op, name in computation.read_once:
            if op == "MatchingFiles":
                seen.append(sorted(tf.io.gfile.glob(name)))
                continue
            if tf.io.gfile.stat(name).length > MAX_BYTES:
                return None
            with tf.io.gfile.GFile(name, "rb") as file:
                seen.append(blake2b(file.read()).digest())
    except tf.errors.OpError:
        return None
    return seen
