"""What an input has to give: something, and in an evaluation rows and an end.

Without a row the metrics are what they began with, for most of them 0: the best error there could be.
Without an end the evaluation never comes back. Both are said instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from tuner.errors import TrialError
from tuner.estimator.patch import patched

ESTIMATOR = "tensorflow_estimator.python.estimator.estimator:Estimator"
_INFINITE = -1


@contextmanager
def check_inputs() -> Iterator[None]:
    """Make Estimators raise TrialError whose input_fn returns nothing, or whose evaluation has no rows or no end.

    ``_evaluate_once`` is what an Estimator evaluates with once it has built the graph.
    """
    given = patched(f"{ESTIMATOR}._call_input_fn", "input_checks", _given)
    with given, patched("tensorflow.python.training.evaluation:_evaluate_once", "input_checks", _with_rows_hook):
        yield


def _with_rows_hook(original: Callable[..., Any], *args: Any, **call: Any) -> Any:
    hooks = list(call.get("hooks") or ())
    return original(*args, **{**call, "hooks": [*hooks, rows_hook(hooks)]})


def _given(original: Callable[..., Any], estimator: Any, input_fn: Any, *args: Any, **kwargs: Any) -> Any:
    made = original(estimator, input_fn, *args, **kwargs)
    if made is None:
        function = input_fn.func if isinstance(input_fn, partial) else input_fn
        name = getattr(function, "__name__", "input_fn")
        raise TrialError(
            f"{name} returned None, expected a tf.data.Dataset, or features and labels: is a return missing?"
        )
    return made


def rows_hook(hooks: list[Any]) -> Any:
    """Make the hook that counts batches.

    Args:
        hooks: The others of the evaluation, which say how many batches it takes and have its iterators.
    """
    return _kind()(hooks)


def is_rows_hook(hook: Any) -> bool:
    """Whether a hook is one of these."""
    return type(hook) is _kind()


@cache
def _kind() -> Any:
    import tensorflow as tf

    class EvaluationHasRows(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
        """Count batches; look whether they end, if nobody says how many there are."""

        def __init__(self, hooks: list[Any]) -> None:
            self._hooks = hooks
            self._sizes: list[Any] | None = None

        def begin(self) -> None:
            if self._sizes is None:  # an evaluation that is run again has a finished graph
                self._sizes = _sizes(self._hooks)

        def after_create_session(self, session: Any, coord: Any) -> None:
            del coord
            self._runs = 0
            if self._sizes and _INFINITE in session.run(self._sizes):
                raise TrialError(
                    "the evaluation's input never ends: expected an input_fn without .repeat(), or an EvalSpec "
                    "that says how many steps= an evaluation has"
                )
            self._sizes = []

        def after_run(self, run_context: Any, run_values: Any) -> None:
            del run_context, run_values
            self._runs += 1

        def end(self, session: Any) -> None:
            del session
            if not self._runs:
                raise TrialError(
                    "the evaluation's input has no rows, so that its metrics mean nothing: expected its input_fn to "
                    "give at least one batch"
                )

    return EvaluationHasRows


def iterators(hooks: list[Any]) -> list[Any]:
    """Return the iterators of an evaluation's input, which its hooks initialise."""
    from tensorflow_estimator.python.estimator import util

    return [hook._iterator for hook in hooks if type(hook) is util._DatasetInitializerHook]


def _sizes(hooks: list[Any]) -> list[Any]:
    """Return operations for how many batches each iterator has; none if that is known to have an end."""
    from tensorflow.python.ops import gen_dataset_ops
    from tensorflow.python.training import evaluation

    if any(type(hook) is evaluation._StopAfterNEvalsHook and hook._num_evals is not None for hook in hooks):
        return []
    if not _repeats():
        return []
    return [gen_dataset_ops.dataset_cardinality(iterator.initializer.inputs[0]) for iterator in iterators(hooks)]


def _repeats() -> bool:
    """Whether a dataset of the graph is repeated."""
    import tensorflow as tf

    return any(op.type == "RepeatDataset" for op in tf.compat.v1.get_default_graph().get_operations())
