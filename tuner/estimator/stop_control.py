"""How a trial is asked to stop, and how ``train_and_evaluate`` is made to obey: on the grid, never off it.

A SessionRunHook that stops training between checkpoints would shift every later evaluation, and
raising in one skips its ``end()``. So it is a saving listener that says stop: the checkpoint is
there, ``train_and_evaluate`` evaluates it because its own listener runs after ours, and the next
attempt goes on from the same grid. A request that arrives during an evaluation is obeyed after it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from tuner.estimator.patch import patched
from tuner.estimator.training_checks import checkpoint_shape_hook


class StopRequest:
    """Whether the trial was asked to stop; set from a signal or from another thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Ask the trial to stop at its next checkpoint."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def on_signal(self, signum: int = signal.SIGTERM) -> None:
        """Take ``signum`` as the request; call it in the main thread of the trial's process."""

        def ask(_signum: int, _frame: FrameType | None) -> None:
            self.ask()

        signal.signal(signum, ask)


@dataclass
class StopControl:
    """What decides when a trial stops before its end, and whether it did.

    Attributes:
        request: Asked to stop or not.
        stop_at: Global step of the rung at which the trial stops by itself, or None.
        after_evaluation: Called after each evaluation was written, before ``request`` is looked at.
        stopped: Whether training was stopped by us.
    """

    request: StopRequest
    stop_at: int | None = None
    after_evaluation: Callable[[], None] | None = None
    stopped: bool = False

    def stops(self, step: int | None) -> bool:
        """Whether training stops at a checkpoint of ``step`` (None: at this one, whatever its step)."""
        self.stopped = self.would_stop(step)
        return self.stopped

    def would_stop(self, step: int | None) -> bool:
        """Whether, as far as is known, training will stop at a checkpoint of ``step``."""
        at_rung = step is not None and self.stop_at is not None and step >= self.stop_at
        return self.stopped or at_rung or self.request.asked


_EXECUTOR = "tensorflow_estimator.python.estimator.training:_TrainingExecutor"
EXECUTOR_INIT, EXECUTOR_RUN = f"{_EXECUTOR}.__init__", f"{_EXECUTOR}.run"


class Extension(Protocol):
    """What else takes part in a training."""

    def listener(self) -> Any:
        """Make a CheckpointSaverListener."""

    def hook(self) -> Any:
        """Make a SessionRunHook."""


@contextmanager
def stop_at_checkpoints(
    control: StopControl, extensions: Sequence[Extension] = (), evaluations: Any = None
) -> Iterator[None]:
    """Make every ``train_and_evaluate`` called meanwhile obey ``control``.

    The package has no public way to listen to evaluations, and a user's script calls
    ``train_and_evaluate`` itself, so its executor's constructor is replaced (tensorflow-estimator
    2.15 is the last release: there will be no other constructor).

    Args:
        control: When to stop.
        extensions: Take part in the training too.
        evaluations: Listens to evaluations in place of what obeys ``control`` after each, or None.
    """
    listeners = [stop_listener(control), *(extension.listener() for extension in extensions)]
    hooks = [extension.hook() for extension in extensions]
    after_evaluation = evaluations or evaluation_listener(control)

    def prepare(
        original: Callable[..., None],
        executor: Any,
        estimator: Any,
        train_spec: Any,
        eval_spec: Any,
        train_hooks: Any = None,
        listener: Any = None,
    ) -> None:
        train_spec = joined(train_spec, estimator.model_dir, hooks, listeners)
        original(executor, estimator, train_spec, eval_spec, train_hooks, listener or after_evaluation)

    with patched(EXECUTOR_INIT, "stop_control", prepare):
        yield


def stop_listener(control: StopControl) -> Any:
    """Make the listener that says stop after a checkpoint was saved."""
    import tensorflow as tf

    class StopAtCheckpoint(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
        """Say stop after a checkpoint was saved."""

        def after_save(self, session: Any, global_step_value: int) -> bool:
            del session
            return control.stops(int(global_step_value))

    return StopAtCheckpoint()


def evaluation_listener(control: StopControl) -> Any:
    """Make the listener that says stop after an evaluation was written."""
    from tensorflow_estimator.python.estimator import training

    class StopAfterEvaluation(training._ContinuousEvalListener):  # type: ignore[misc]
        """Say stop after an evaluation was written."""

        def after_eval(self, eval_result: Any) -> bool:
            del eval_result
            if control.after_evaluation is not None:
                control.after_evaluation()
            return not control.stops(None)

    return StopAfterEvaluation()


def joined(train_spec: Any, model_dir: str, hooks: Sequence[Any], listeners: Sequence[Any]) -> Any:
    """Return a TrainSpec in which we take part, and in which a checkpoint that does not fit the model is refused.

    Args:
        train_spec: The user's.
        model_dir: Where its Estimator has its checkpoints.
        hooks: Ours.
        listeners: Ours, of checkpoints.
    """
    return train_spec._replace(
        hooks=(*train_spec.hooks, checkpoint_shape_hook(model_dir), *hooks),
        saving_listeners=(*train_spec.saving_listeners, *listeners),
    )
