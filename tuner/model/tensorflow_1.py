"""What code of TensorFlow 1 asks for and TensorFlow 2 has elsewhere, or no more: one table, and who uses it in a text.

Nothing here imports TensorFlow but ``only_in_version_1``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_V1 = "tf.compat.v1"


@dataclass(frozen=True)
class Replacement:
    """What stands for a name of TensorFlow 1.

    Attributes:
        gone: The name, without ``tf.``; whatever begins with it is meant, if no longer one is in the table.
        instead: What to write.
        name: The new name if writing it in the place of the old one is all there is to do; else empty.
    """

    gone: str
    instead: str
    name: str = ""


def _renamed(gone: str, name: str) -> Replacement:
    return Replacement(gone, f"`{name}`", name)


REPLACEMENTS = (
    _renamed("contrib.estimator.add_metrics", "tf.estimator.add_metrics"),
    *(
        _renamed(f"contrib.estimator.{name}", f"tf.estimator.experimental.{name}")
        for name in (
            "InMemoryEvaluatorHook",
            "make_early_stopping_hook",
            "stop_if_higher_hook",
            "stop_if_lower_hook",
            "stop_if_no_decrease_hook",
            "stop_if_no_increase_hook",
        )
    ),
    Replacement("contrib.estimator.forward_features", "the feature among `predictions` of `model_fn`'s EstimatorSpec"),
    Replacement("contrib.estimator", "`tf.estimator`: `BinaryClassHead`, `MultiClassHead`, `RegressionHead`, ..."),
    _renamed("contrib.framework.get_or_create_global_step", f"{_V1}.train.get_or_create_global_step"),
    _renamed("contrib.framework.get_global_step", f"{_V1}.train.get_global_step"),
    _renamed("contrib.framework.nest", "tf.nest"),
    Replacement("contrib.framework", f"`{_V1}.train`; `arg_scope` is in the package tf_slim"),
    Replacement(
        "contrib.layers.fully_connected", f"`{_V1}.layers.dense(x, units, tf.nn.relu)`: its own activation was ReLU"
    ),
    Replacement("contrib.layers.optimize_loss", f"an optimizer's `minimize(loss, {_V1}.train.get_global_step())`"),
    _renamed("contrib.layers.xavier_initializer", f"{_V1}.glorot_uniform_initializer"),
    _renamed("contrib.layers.flatten", f"{_V1}.layers.flatten"),
    Replacement("contrib.layers.l2_regularizer", "`tf.keras.regularizers.l2(scale / 2)`"),
    Replacement("contrib.layers.batch_norm", f"`{_V1}.layers.batch_normalization`"),
    Replacement("contrib.layers.embed_sequence", "`tf.nn.embedding_lookup` in a variable"),
    Replacement("contrib.layers.real_valued_column", "`tf.feature_column.numeric_column`"),
    Replacement(
        "contrib.layers.variance_scaling_initializer",
        f"`{_V1}.variance_scaling_initializer(scale=2.0)`: its own `factor` was 2",
    ),
    Replacement("contrib.layers", f"`{_V1}.layers`, `tf.feature_column`, or the package tf_slim"),
    Replacement("contrib.slim", "the package tf_slim: `import tf_slim as slim`"),
    Replacement("contrib.learn.datasets", "`tf.keras.datasets`, or the package tensorflow_datasets"),
    Replacement("contrib.learn.ModeKeys", "`tf.estimator.ModeKeys`, whose `PREDICT` was `INFER`"),
    Replacement("contrib.learn.Experiment", "`tf.estimator.train_and_evaluate`"),
    Replacement("contrib.learn.learn_runner", "`tf.estimator.train_and_evaluate`"),
    Replacement(
        "contrib.learn.RunConfig",
        "`tf.estimator.RunConfig`; `gpu_memory_fraction` and `num_cores` are settings of its `session_config`",
    ),
    Replacement("contrib.learn", "`tf.estimator`, whose input functions return a `tf.data.Dataset`"),
    Replacement(
        "contrib.lookup.index_table_from_tensor",
        "`tf.lookup.StaticHashTable` with a `tf.lookup.KeyValueTensorInitializer`",
    ),
    Replacement("contrib.lookup", "`tf.lookup`"),
    *(
        _renamed(f"contrib.data.{name}", f"tf.data.experimental.{name}")
        for name in ("make_batched_features_dataset", "map_and_batch", "parallel_interleave", "shuffle_and_repeat")
    ),
    _renamed("contrib.data.AUTOTUNE", "tf.data.experimental.AUTOTUNE"),
    Replacement("contrib.data.batch_and_drop_remainder", "`dataset.batch(n, drop_remainder=True)`"),
    Replacement("contrib.data", "`tf.data`, `tf.data.experimental`"),
    Replacement("contrib.eager", "nothing: TensorFlow 2 is eager; `contrib.eager.Variable` is `tf.Variable`"),
    *(
        _renamed(f"contrib.rnn.{name}", f"{_V1}.nn.rnn_cell.{name}")
        for name in ("BasicLSTMCell", "DropoutWrapper", "GRUCell", "LSTMCell", "MultiRNNCell")
    ),
    Replacement("contrib.rnn", f"`{_V1}.nn`, `{_V1}.nn.rnn_cell`"),
    Replacement("contrib.predictor", "`tf.saved_model.load(folder).signatures[...]`"),
    Replacement("contrib.training.HParams", "a mapping: an Estimator's `params` is one"),
    Replacement("contrib.distribute", "`tf.distribute`"),
    Replacement("contrib.metrics", f"`{_V1}.metrics`"),
    Replacement("contrib.summary", f"`{_V1}.summary`"),
    *(
        _renamed(f"contrib.tpu.{name}", f"{_V1}.estimator.tpu.{name}")
        for name in ("InputPipelineConfig", "RunConfig", "TPUConfig", "TPUEstimator", "TPUEstimatorSpec")
    ),
    _renamed("contrib.tpu.CrossShardOptimizer", f"{_V1}.tpu.CrossShardOptimizer"),
    Replacement("contrib.tpu", f"`{_V1}.estimator.tpu` with `use_tpu=False`: TPUs need TensorFlow 2.15 or older"),
    Replacement("contrib", "nothing of that name: tf.contrib ended with TensorFlow 1"),
    Replacement("examples", "nothing; MNIST is `tf.keras.datasets.mnist.load_data()`"),
    _renamed("python.estimator", "tensorflow_estimator.python.estimator"),
    _renamed("python.keras.preprocessing", "tensorflow.keras.preprocessing"),
    _renamed("python.keras", "tensorflow.keras"),
)


@dataclass(frozen=True)
class Use:
    """A place of a text that uses what is gone.

    Attributes:
        line: From 1.
        symbol: As ``tf.contrib.layers.optimize_loss``.
        instead: What to write.
        name: The new name if that is all there is to do; else empty.
        span: Its columns in the line, in bytes; None of an import, and if it goes over several lines.
        only_in_v1: Whether ``tf.compat.v1`` has it under the same name.
    """

    line: int
    symbol: str
    instead: str
    name: str = ""
    span: tuple[int, int] | None = None
    only_in_v1: bool = False

    def __str__(self) -> str:
        return f"{self.symbol} is gone: {self.instead.replace('`', '')}"


def replacement(symbol: str) -> Replacement | None:
    """Return what stands for a symbol, written without ``tf.``; None if it is not in the table."""
    found = (r for r in REPLACEMENTS if symbol == r.gone or symbol.startswith(f"{r.gone}."))
    return max(found, key=lambda r: len(r.gone), default=None)


def uses(text: str, only_in_v1: Callable[[str], bool] = lambda _name: False) -> list[Use]:
    """Return the places of a Python text that use what TensorFlow 2 has no more, in their order.

    Args:
        text: Of a file.
        only_in_v1: Whether ``tf.NAME`` is one of ``tf.compat.v1`` alone.

    Raises:
        SyntaxError: It is no Python 3.
    """
    tree = ast.parse(text)
    names: dict[str, str] = {}
    found: list[Use] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found += _imported(node, names, only_in_v1)
    for node in _outermost(tree):
        symbol = _symbol(node, names)
        if symbol is None:
            continue
        span = (node.col_offset, node.end_col_offset or 0) if node.lineno == node.end_lineno else None
        plain = symbol.removeprefix("compat.v1.")
        known = replacement(plain)
        if known is not None:
            name = known.name if known.gone == plain else ""
            found.append(Use(node.lineno, f"tf.{plain}", known.instead, name, span))
        elif plain == symbol and only_in_v1(plain):
            instead = f"`{_V1}.{plain}`: `import tensorflow.compat.v1 as tf`"
            found.append(Use(node.lineno, f"tf.{plain}", instead, f"{_V1}.{plain}", span, True))
    return sorted(set(found), key=lambda use: (use.line, use.symbol))


def only_in_version_1(name: str) -> bool:
    """Whether ``tf.compat.v1`` has a name and ``tf`` has not; TensorFlow is imported."""
    import tensorflow as tf

    return _has(tf.compat.v1, name) and not _has(tf, name)


def markdown() -> str:
    """Return the table as docs/moving.md has it."""
    rows = [
        f"| `{'tensorflow' if r.gone.startswith(('python', 'examples')) else 'tf'}.{r.gone}` | {r.instead} |"
        for r in REPLACEMENTS
    ]
    return "\n".join(["| there | here |", "|---|---|", *rows]) + "\n"


def _has(module: object, name: str) -> bool:
    for part in name.split("."):
        module = getattr(module, part, None)
        if module is None:
            return False
    return True


def _imported(
    node: ast.Import | ast.ImportFrom, names: dict[str, str], only_in_v1: Callable[[str], bool]
) -> Iterator[Use]:
    """Note which names a file has for modules and symbols of TensorFlow; yield imports of what is gone."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            whole = alias.name
            names[alias.asname or whole.partition(".")[0]] = whole if alias.asname else whole.partition(".")[0]
        elif node.level or node.module is None:
            continue
        else:
            whole = f"{node.module}.{alias.name}"
            names[alias.asname or alias.name] = whole
        inner = whole.removeprefix("tensorflow.").removeprefix("compat.v1.")
        known = replacement(inner) if whole.startswith("tensorflow.") else None
        if known is not None:
            name = known.name if known.gone.startswith("python.") else ""  # modules, imported by their names
            if name:  # what the file does with it is well once the import is
                names.pop(alias.asname or alias.name, None)
            yield Use(node.lineno, f"tensorflow.{known.gone if name else inner}", known.instead, name)
        elif whole == f"tensorflow.{inner}" and only_in_v1(inner):
            names.pop(alias.asname or alias.name, None)
            place = f"tensorflow.compat.v1.{inner}".rpartition(".")[0]
            yield Use(node.lineno, whole, f"`{_V1}.{inner}`: `from {place} import {inner.rpartition('.')[2]}`")


def _outermost(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield each chain of attributes, whole."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Attribute):
                inner.add(id(node.value))
            if id(node) not in inner:
                yield node


def _symbol(node: ast.Attribute, names: dict[str, str]) -> str | None:
    """Return a chain as a name within TensorFlow; None if it is none."""
    parts: list[str] = []
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        parts.insert(0, value.attr)
        value = value.value
    if not isinstance(value, ast.Name) or value.id not in names:
        return None
    whole = ".".join([names[value.id], *parts])
    return whole.removeprefix("tensorflow.") if whole.startswith("tensorflow.") else None
