"""What of TensorFlow and the Estimator package is replaced, and why: the register, and the one way to do it.

Neither library has a public way to take part in these places. A replacement lasts for a ``with`` block in a process
that trains or evaluates, never in the user's own process; only what ``install_estimator`` puts in place, so that
Estimators work at all, stays: ``STAND_INS`` and what is marked ``lasting``. ``TUNER_SESSION_PATCHES=0`` leaves out
the replacements that only save time, so that whoever suspects them can rule them out.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SWITCH = "TUNER_SESSION_PATCHES"

_ESTIMATOR = "tensorflow_estimator.python.estimator"
_TRAINING = "tensorflow.python.training"


@dataclass(frozen=True)
class Patch:
    """One entry of the register.

    Attributes:
        target: What is replaced: ``module:Class.method`` or ``module:function``.
        by: The module of ``tuner.estimator`` that replaces it.
        why: What the replacement is for.
        without: What happens without it.
        versions: The versions of TensorFlow on which it is used and tested.
        saves_time: Whether results are the same without it, to the last bit.
        lasting: Whether ``install_estimator`` makes it, for as long as the process lives.
    """

    target: str
    by: str
    why: str
    without: str
    versions: str = "2.15 to 2.21"
    saves_time: bool = False
    lasting: bool = False


@dataclass(frozen=True)
class StandIn:
    """A module that the Estimator package imports, put in place if TensorFlow 2.16 or later is installed.

    Attributes:
        module: Its name.
        enough: What stands there, and why that is enough.
        refuses: Whether each of its names may be imported, but refuses to be used.
    """

    module: str
    enough: str
    refuses: bool = False


_TPU = "tensorflow.python.tpu"
STAND_INS = (
    StandIn(
        "tensorflow.python.distribute.estimator_training",
        "two functions: the distribute coordinator only ran for strategies over several machines, which are refused",
    ),
    StandIn(
        f"{_ESTIMATOR}.estimator_export",
        "a decorator that does nothing: it only registered names for the generator of TensorFlow's API",
    ),
    *(
        StandIn(
            f"{_TPU}.{name}",
            "nothing: TensorFlow took it out, and TPUEstimator(use_tpu=False) does not use it",
            refuses=True,
        )
        for name in ("session_support", "tpu_embedding", "tpu_embedding_gradient")
    ),
)

USES = (
    "predict",
    "latest_checkpoint",
    "get_variable_names",
    "get_variable_value",
    "export_saved_model",
    "export_savedmodel",
    "experimental_export_all_saved_models",
)
"""What a script does with an Estimator beside training and evaluating it."""

PATCHES = (
    Patch(
        f"{_ESTIMATOR}.training:_TrainingExecutor.__init__",
        "stop_control",
        "adds the listeners and hooks by which train_and_evaluate stops at a checkpoint",
        "a trial could only be killed: no rung, no Ctrl-C that keeps a checkpoint on the grid of evaluations",
    ),
    Patch(
        f"{_ESTIMATOR}.training:_TrainingExecutor.__init__",
        "script_estimators",
        "the same for a script that calls train_and_evaluate itself",
        "such a script could only be killed",
    ),
    Patch(
        f"{_ESTIMATOR}.training:_TrainingExecutor.run",
        "script_estimators",
        "ends a script's train_and_evaluate where the job says, and notes what its specs do otherwise",
        "a script would train on after its rung",
    ),
    Patch(
        f"{_ESTIMATOR}.estimator:Estimator.__init__",
        "script_estimators",
        "gives the Estimators of a script the trial's seed, checkpoints and session settings",
        "checkpoints off the grid of evaluations, other random numbers in each attempt",
    ),
    Patch(
        f"{_ESTIMATOR}.estimator:Estimator.train",
        "script_estimators",
        "lets a script's own loop of train and evaluate stop at its rung",
        "such a script would train beyond what its scheduler gave it",
    ),
    Patch(
        f"{_ESTIMATOR}.estimator:Estimator.evaluate",
        "script_estimators",
        "ends a script after the evaluation at which it was to stop",
        "such a script would begin to train again before it is stopped",
    ),
    *(
        Patch(
            f"{_ESTIMATOR}.estimator:Estimator.{name}",
            "script_estimators",
            "lets a training that waits for the script's evaluation go on to its end before",
            "a script would predict with, or export, the first checkpoint of a training",
        )
        for name in USES
    ),
    Patch(
        f"{_ESTIMATOR}.run_config:RunConfig.__init__",
        "one_task",
        "a cluster of this process alone is one machine",
        "a script that AI Platform ran as the master of one machine would not be evaluated",
    ),
    Patch(
        f"{_ESTIMATOR}.estimator:Estimator._call_input_fn",
        "input_checks",
        "says so if an input_fn returns None",
        "an error deep in TensorFlow that names neither the function nor the cause",
    ),
    Patch(
        f"{_TRAINING}.evaluation:_evaluate_once",
        "input_checks",
        "counts the rows of an evaluation; one without rows, or without end, fails",
        "metrics of no rows are 0, the best rmse there is; an evaluation without end hangs for ever",
    ),
    Patch(
        f"{_ESTIMATOR}.estimator:_write_dict_to_summary",
        "unwritten_metrics",
        "notes the type and shape of what was evaluated and is no scalar in the event file",
        "an objective that is a float16, a bool, a string or a vector would be said never to have come",
    ),
    Patch(
        f"{_TRAINING}.evaluation:_evaluate_once",
        "session_reuse",
        "evaluations of one trial that run the same graph share a session",
        "each evaluation pays the first runs of a new session again",
        saves_time=True,
    ),
    Patch(
        f"{_TRAINING}.monitored_session:Scaffold.finalize",
        "session_readiness",
        "leaves out the question which variables are not initialized, if all are",
        "a twelfth of a short trial's CPU time goes into two questions with a known answer",
        saves_time=True,
    ),
    Patch(
        "tensorflow.python.client.session:BaseSession.close",
        "session_close",
        "closes the sessions of a forked trial in threads that end with the process",
        "a trial may wait for a sleeping thread of tf.data at its end, for up to half of its own time",
        saves_time=True,
    ),
    Patch(
        "tensorflow.python.client.session:BaseSession.run",
        "progress_watch",
        "knows when a session came back last, if search.no_progress_timeout is set",
        "a trial that hangs would run until its time limit",
    ),
    Patch(
        f"{_TRAINING}.session_manager:SessionManager.__init__",
        "session_wait",
        "workers of a cluster look again after a second for variables that are not initialized",
        "they look every 30 seconds after a ps was lost",
    ),
    Patch(
        f"{_ESTIMATOR}.inputs.queues.feeding_functions:_enqueue_data",
        "pandas_input",
        "gives the queue of pandas_input_fn columns of NumPy's types for text, categories and nullable types",
        "TypeError: data type 'str' not understood, of every DataFrame of text since pandas 3, of categories always",
        lasting=True,
    ),
)


_LASTING: set[str] = set()  # what was replaced for good


def saving_time() -> bool:
    """Whether replacements that only save time are made."""
    return os.environ.get(SWITCH, "1") != "0"


@contextmanager
def patched(target: str, by: str, replacement: Callable[..., Any]) -> Iterator[None]:
    """Put ``replacement(original, ...)`` in the place of a method or function.

    Args:
        target: As in the register.
        by: As in the register.
        replacement: Called with the original first, then with what the original is called with.

    Raises:
        LookupError: The register has no such entry.
    """
    if _entry(target, by).saves_time and not saving_time():
        yield
        return
    owner, name = _owner(target)
    original = getattr(owner, name)
    setattr(owner, name, _instead(original, replacement))
    try:
        yield
    finally:
        setattr(owner, name, original)


def patched_for_good(target: str, by: str, replacement: Callable[..., Any]) -> None:
    """Do what ``patched`` does, for as long as the process lives; a second call does nothing.

    Raises:
        LookupError: The register has no such entry that lasts.
    """
    if not _entry(target, by).lasting:
        raise LookupError(f"{target} by {by} is to be put back, by the register of tuner.estimator.patch")
    if target not in _LASTING:
        owner, name = _owner(target)
        setattr(owner, name, _instead(getattr(owner, name), replacement))
        _LASTING.add(target)


def _entry(target: str, by: str) -> Patch:
    found = next((patch for patch in PATCHES if (patch.target, patch.by) == (target, by)), None)
    if found is None:
        raise LookupError(f"{target} by {by} is not in the register of tuner.estimator.patch")
    return found


def _instead(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def instead(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    return instead


def _owner(target: str) -> tuple[Any, str]:
    """Return the module or class that has what is replaced, and its name there."""
    module, _, path = target.partition(":")
    owner = importlib.import_module(module)
    *kinds, name = path.split(".")
    for kind in kinds:
        owner = getattr(owner, kind)
    return owner, name
