"""What the fork server imports before it forks, so that no trial has to."""

from __future__ import annotations

import contextlib
import importlib
import os
from pathlib import Path

from tuner.domain.spec import ModelRef
from tuner.errors import BackendError
from tuner.forkserver.script_imports import imports_of_others
from tuner.script.command_line import Program

LAZY = (
    # What a trial would import by itself the first time it needs it.
    "tensorflow_estimator.python.estimator.estimator_lib",
    "tensorflow_estimator.python.estimator.training",
    "tensorflow_estimator.python.estimator.keras_lib",
    "tensorflow.python.data.ops.iterator_ops",
    "tf_keras",
    "tuner.events",
)


def preload_model(model: ModelRef | None, gpus: bool = False) -> list[str]:
    """Import TensorFlow with Estimators, and the user's model.

    Args:
        model: The user's model, or None.
        gpus: Whether trials are given GPUs, so that CUDA must not start here.

    Returns:
        Notes for the user, a line each.

    Raises:
        InvalidInput: The model does not import or lacks a function.
        BackendError: The model ran a TensorFlow op when it was imported, or looked for GPUs.
    """
    os.environ.pop("TF_CONFIG", None)  # the driver's cluster is not the trial's
    from tuner.estimator.install import install_estimator

    install_estimator()
    for name in LAZY:
        importlib.import_module(name)
    if model is not None:
        from tuner.model import load_model

        load_model(model)
    _refuse_started(f"model {model}", gpus)
    return []


def preload_script(program: Program, gpus: bool = False) -> list[str]:
    """Import TensorFlow with Estimators and what a script of ours will import; nothing for other programs.

    Args:
        program: The user's.
        gpus: Whether trials are given GPUs, so that CUDA must not start here.

    Returns:
        Notes for the user, a line each.

    Raises:
        BackendError: An import ran a TensorFlow op.
    """
    if not program.forked:
        name = Path(program.target).name
        return [f"note: {name} runs as a program of its own: tf.estimator is not added there"]
    preload_model(None)
    for statement in imports_of_others(program, Path.cwd()):
        with contextlib.suppress(Exception, SystemExit):  # it will fail, or not, in the script itself
            exec(statement, {})
    _refuse_started(f"what {program.target} imports", gpus)
    return []


def _refuse_started(what: str, gpus: bool) -> None:
    if _context_started():
        raise BackendError(
            f"{what} runs a TensorFlow operation when it is imported, and a process in which "
            "TensorFlow has started cannot be forked safely",
            "move the operation into model_fn or an input_fn (tf.constant, tf.random, "
            "tf.config.list_logical_devices and datasets that are read at module level start TensorFlow)",
        )
    if gpus and _looked_for_devices():
        raise BackendError(
            f"{what} asks TensorFlow for devices when it is imported, which starts CUDA, and a process "
            "in which CUDA has started cannot be forked",
            "move tf.config.list_physical_devices and the like into model_fn or an input_fn "
            "(memory growth is set for you)",
        )


def _looked_for_devices() -> bool:
    from tensorflow.python.eager import context

    current = context.context_safe()
    return current is not None and bool(getattr(current, "_physical_devices", None))


def _context_started() -> bool:
    from tensorflow.python.eager import context

    current = context.context_safe()
    return current is not None and getattr(current, "_context_handle", None) is not None
