"""Evaluations of one trial that share a session, if that cannot change a result.

Each ``Estimator.evaluate`` calls the user's functions, builds a graph, and makes a session for it, whose
first runs cost more than those of a small model's evaluation itself. Here the functions are called
and the graph is built as ever; if what the evaluation runs is what the last one ran, the last one's
session takes the new checkpoint and runs it once more. Restoring, initial values of local variables,
tables and iterators, hooks and what is logged and written are those of a new session. In between its
iterators are empty: what they had read ahead, and the threads that did, go as they do with a session.

What stands in the way means an evaluation as ever; ``session_reuse_key`` knows what.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from tuner.estimator.input_checks import iterators
from tuner.estimator.patch import patched
from tuner.estimator.session_reuse_key import is_plain_evaluation, reuse_key, small

_CALL = {"checkpoint_path", "master", "scaffold", "eval_ops", "final_ops", "hooks", "config"}


@contextmanager
def reuse_evaluation_session() -> Iterator[None]:
    """Let the evaluations of the Estimators that are evaluated meanwhile share a session.

    ``_evaluate_once`` is what an Estimator evaluates with once it has built the graph; it is replaced
    because the package has no public way to give it a session.
    """
    evaluations = _Evaluations()
    try:
        with patched("tensorflow.python.training.evaluation:_evaluate_once", "session_reuse", evaluations.once):
            yield
    finally:
        evaluations.close()


class _Evaluations:
    """In the place of ``_evaluate_once``."""

    def __init__(self) -> None:
        self._kept: _ReusableSession | None = None
        self._given_up = False

    def once(self, original: Callable[..., Any], *args: Any, **call: Any) -> Any:
        """Evaluate the default graph at a checkpoint."""
        if self._given_up or args or set(call) != _CALL or not is_plain_evaluation(call):
            return original(*args, **call)
        kept, self._kept = self._kept, None
        digest = reuse_key(call) if kept is not None or small() else None
        if kept is None and digest is not None:
            return self._first(original, digest, call)
        if kept is not None and kept.digest == digest:
            return self._again(original, kept, call)
        self._given_up = True  # neither would the next one be equal
        if kept is not None:
            kept.close()
        return original(**call)

    def close(self) -> None:
        """Close the session that is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _first(self, original: Callable[..., Any], digest: bytes, call: dict[str, Any]) -> Any:
        kept = _ReusableSession(digest, call)
        try:
            values = original(**{**call, "hooks": [*call["hooks"], kept.hook()]})
        except BaseException:
            kept.close()
            raise
        kept.rest()
        self._kept = kept
        return values

    def _again(self, original: Callable[..., Any], kept: _ReusableSession, call: dict[str, Any]) -> Any:
        try:
            values = kept.again(call["checkpoint_path"])
        except BaseException:
            kept.close()
            raise
        if values is None:
            kept.close()
            self._given_up = True
            return original(**call)  # a new session can, or says what is wrong
        kept.rest()
        self._kept = kept
        return values


class _ReusableSession:
    """An evaluation that can be run again: its graph, session, hooks and what is fetched.

    Args:
        digest: Of what it runs.
        call: The arguments of ``_evaluate_once``.
    """

    def __init__(self, digest: bytes, call: dict[str, Any]) -> None:
        import tensorflow as tf

        self.digest = digest
        self._scaffold, self._final_ops, self._hooks = call["scaffold"], call["final_ops"], list(call["hooks"])
        self._graph = tf.compat.v1.get_default_graph()
        self._emptying = [_emptying(iterator) for iterator in iterators(call["hooks"])]
        self._resting: Thread | None = None
        self._fetches: Any = None
        self._session: Any = None

    def hook(self) -> Any:
        """Make the hook that takes the first evaluation's session and fetches."""
        import tensorflow as tf

        kept = self

        class Keep(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            """Take the session, which the evaluation then does not close."""

            def after_create_session(self, session: Any, coord: Any) -> None:
                del coord
                kept.close()  # one that broke down and was replaced
                session.close = _nothing
                kept._session = session

            def before_run(self, run_context: Any) -> None:
                kept._fetches = run_context.original_args.fetches

        return Keep()

    def again(self, checkpoint_path: str) -> dict[str, Any] | None:
        """Evaluate another checkpoint; None if the session cannot be brought there."""
        import tensorflow as tf
        from tensorflow.python.training import basic_session_run_hooks, monitored_session

        if self._resting is not None:
            self._resting.join()
        _log(f"Starting evaluation at {time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime())}")
        began = time.time()
        final = basic_session_run_hooks.FinalOpsHook(self._final_ops)
        creator = _creator(self._session, self._scaffold, checkpoint_path)
        with self._graph.as_default():
            try:
                monitored = monitored_session.MonitoredSession(creator, hooks=[*self._hooks, final])
            except tf.errors.OpError:
                return None
            with monitored:
                while not monitored.should_stop():
                    monitored.run(self._fetches)
        _log(f"Inference Time : {time.time() - began:0.5f}s")
        _log(f"Finished evaluation at {time.strftime('%Y-%m-%d-%H:%M:%S', time.localtime())}")
        values: dict[str, Any] = final.final_ops_values
        return values

    def rest(self) -> None:
        """Empty the iterators without waiting: destroying one may take its time (see ``session_close``)."""
        self._resting = Thread(target=_run, args=(self._session, self._emptying), name="empty iterators", daemon=True)
        self._resting.start()

    def close(self) -> None:
        """Close the session; one whose iterators are being emptied when that is done, without waiting for it."""
        session, self._session = self._session, None
        if session is None:
            return
        if self._resting is not None and self._resting.is_alive():
            Thread(target=_close_rested, args=(session, self._resting), name="close session", daemon=True).start()
        else:
            type(session).close(session)


def _emptying(iterator: Any) -> Any:
    """Add the operation that leaves an iterator without elements; it reads nothing and starts no thread."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_dataset_ops

    dataset, resource = iterator.initializer.inputs
    elements = {name: resource.op.get_attr(name) for name in ("output_types", "output_shapes")}
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    with tf.control_dependencies(None):
        none = gen_dataset_ops.take_dataset(dataset, tf.constant(0, tf.int64), **elements)
        none = gen_dataset_ops.options_dataset(none, options._to_proto().SerializeToString(), **elements)
        return gen_dataset_ops.make_iterator(none, resource)


def _close_rested(session: Any, resting: Thread) -> None:
    resting.join()
    type(session).close(session)


def _run(session: Any, operations: list[Any]) -> None:
    import tensorflow as tf

    with suppress(tf.errors.OpError):  # what cannot be emptied is as full as it was
        session.run(operations)


def _creator(session: Any, scaffold: Any, checkpoint_path: str) -> Any:
    """Make a creator of sessions that brings a used session to a checkpoint as a new one is brought there."""
    from tensorflow.python.training import monitored_session, session_manager

    class Restorer(session_manager.SessionManager):  # type: ignore[misc]
        def _restore_checkpoint(self, master: str, saver: Any, **_: Any) -> tuple[Any, bool]:
            del master
            saver.restore(session, checkpoint_path)
            return session, True

    class UsedSession(monitored_session.ChiefSessionCreator):  # type: ignore[misc]
        def _get_session_manager(self) -> Any:
            return Restorer(
                local_init_op=scaffold.local_init_op,
                ready_op=scaffold.ready_op,
                ready_for_local_init_op=scaffold.ready_for_local_init_op,
            )

    return UsedSession(scaffold, checkpoint_filename_with_path=checkpoint_path)


def _nothing() -> None:
    pass


def _log(line: str) -> None:
    import tensorflow as tf

    tf.compat.v1.logging.info(line)
