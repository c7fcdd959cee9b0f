"""What the warm parent imports before it forks, so that no trial has to."""

from __future__ import annotations

import contextlib
import importlib
import os
from pathlib import Path

from tuner.command import Program
from tuner.errors import BackendError
from tuner.spec import ModelRef
from tuner.trial.script_imports import imports_of_others

LAZY = (
    # What a trial would import by itself the first time it needs it.
    "tensorflow_estimator.python.estimator.estimator_lib",
    "tensorflow_estimator.python.estimator.training",
    "tensorflow_estimator.python.estimator.keras_lib",
    "tensorflow.python.data.ops.iterator_ops",
    "tf_keras",
    "tuner.events",
)


def warm_up(model: ModelRef | None) -> list[str]:
    """Import TensorFlow with Estimators, and the user's model.

    Returns:
        Notes for the user, a line each.

    Raises:
        InvalidInput: The model does not import or lacks a function.
        BackendError: The model ran a TensorFlow op when it was imported.
    """
    os.environ.pop("TF_CONFIG", None)  # the driver's cluster is not the trial's
    from tuner.estimator import install_estimator

    install_estimator()
    for name in LAZY:
        importlib.import_module(name)
    if model is not None:
        from tuner.task import load_model

        load_model(model)
    _refuse_started(f"model {model}")
    return []


def warm_up_for(program: Program) -> list[str]:
    """Import TensorFlow with Estimators and what a script of ours will import; nothing for other programs.

    Returns:
        Notes for the user, a line each.

    Raises:
        BackendError: An import ran a TensorFlow op.
    """
    if not program.forked:
        name = Path(program.target).name
        return [f"note: {name} runs as a program of its own: tf.estimator is not added there"]
    warm_up(None)
    for statement in imports_of_others(program, Path.cwd()):
        with contextlib.suppress(Exception, SystemExit):  # it will fail, or not, in the script itself
            exec(statement, {})
    _refuse_started(f"what {program.target} imports")
    return []


def _refuse_started(what: str) -> None:
    if _context_started():
        raise BackendError(
            f"{what} runs a TensorFlow operation when it is imported, and a process in which "
            "TensorFlow has started cannot be forked safely",
            "move the operation into model_fn or an input_fn (tf.constant, tf.random, "
            "tf.config.list_logical_devices and datasets that are read at module level start TensorFlow)",
        )


def _context_started() -> bool:
    from tensorflow.python.eager import context

    current = context.context_safe()
    return current is not None and getattr(current, "_context_handle", None) is not None
