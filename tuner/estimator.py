"""``tf.estimator`` on TensorFlow 2.16 and later, put together from the tensorflow-estimator package.

TensorFlow took ``tf.estimator`` out in 2.16. The last release of its code, tensorflow-estimator
2.15.0, still runs on later TensorFlow when a few modules that it imports are put in place first:

| what the package imports                                | what takes its place     | why that is enough |
|---------------------------------------------------------|--------------------------|--------------------|
| ``tensorflow.python.distribute.estimator_training``     | a module of two functions | the distribute coordinator was off unless a strategy asked for ``distribute_coordinator_mode`` |
| ``tensorflow_estimator.python.estimator.estimator_export`` | a decorator that does nothing | it only registered names for the generator of TensorFlow's API |
| ``tensorflow_estimator.python.estimator.tpu`` and below | names that refuse to be used | TPU Estimators need TPU code that TensorFlow no longer has |
| ``tf.keras``                                            | tf-keras, of TensorFlow's minor | Estimators work with Keras 2; ``TF_USE_LEGACY_KERAS`` makes TensorFlow itself use it |

On TensorFlow 2.15 nothing is put in place: it has Estimators of its own.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

from tuner.errors import InvalidInput, Problem

T = TypeVar("T")

OLDEST, BEYOND = (2, 15), (2, 22)
_PACKAGE = "tensorflow_estimator.python.estimator"
_TPU = f"{_PACKAGE}.tpu"


def install_estimator() -> None:
    """Make ``tf.estimator`` and ``tf.compat.v1.estimator`` work; a second call does nothing.

    Runs no TensorFlow operation and starts no device, so a process may be forked afterwards. Call it
    before Keras is used: Estimators need Keras 2.

    Raises:
        InvalidInput: The installed versions do not go together; says which, and the remedy.
    """
    minor = _check_versions()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    if minor == OLDEST or "estimator" in vars(tf):
        return
    _check_keras()
    sys.modules.setdefault("tensorflow.python.distribute.estimator_training", _estimator_training())
    sys.modules.setdefault(f"{_PACKAGE}.estimator_export", _export_decorator())
    if not any(isinstance(finder, _NoTpu) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoTpu())
    _attach(tf, "tensorflow", f"{_PACKAGE}.api._v2.estimator")
    _attach(tf.compat.v2, "tensorflow.compat.v2", f"{_PACKAGE}.api._v2.estimator")
    _attach(tf.compat.v1, "tensorflow.compat.v1", f"{_PACKAGE}.api._v1.estimator")


def _attach(parent: Any, name: str, source: str) -> None:
    """Make the package's own list of public names an attribute and a submodule of ``parent``."""
    module = importlib.import_module(source)
    parent.estimator = module
    for found in [key for key in sys.modules if key == source or key.startswith(f"{source}.")]:
        sys.modules[f"{name}.estimator{found[len(source) :]}"] = sys.modules[found]


def _check_versions() -> tuple[int, int]:
    """Return TensorFlow's major and minor version if everything installed goes with it."""
    found = {name: _version(name) for name in ("tensorflow", "tf-keras", "tensorflow-estimator")}
    tensorflow = found["tensorflow"] or _version("tensorflow-cpu") or _version("tf-nightly")
    problems = []
    minor = _minor(tensorflow)
    if not tensorflow:
        problems.append(Problem("tensorflow", "is not installed", "pip install 'tensorflow>=2.15,<2.22'"))
    elif not OLDEST <= minor < BEYOND:
        problems.append(
            Problem(
                "tensorflow",
                f"found {tensorflow}, expected 2.15 to 2.21",
                "pip install 'tensorflow>=2.15,<2.22'",
            )
        )
    estimator = found["tensorflow-estimator"]
    if _minor(estimator) != OLDEST:
        was = f"found {estimator}" if estimator else "is not installed"
        problems.append(
            Problem("tensorflow-estimator", f"{was}, expected 2.15", "pip install tensorflow-estimator==2.15.0")
        )
    keras = found["tf-keras"]
    if minor > OLDEST and _minor(keras) != minor:
        was = f"found {keras}" if keras else "is not installed"
        wanted = f"{minor[0]}.{minor[1]}"
        problems.append(
            Problem(
                "tf-keras",
                f"{was}, expected {wanted}, the minor of TensorFlow {tensorflow}",
                f"pip install 'tf-keras=={wanted}.*'",
            )
        )
    if problems:
        raise InvalidInput("Estimators", problems)
    return minor


def _check_keras() -> None:
    """Refuse if TensorFlow has resolved ``tf.keras`` to Keras 3 already."""
    import tensorflow as tf

    version = str(getattr(tf.keras, "__version__", "2"))  # tf-keras does not say its version here
    if version.startswith("3."):
        raise InvalidInput(
            "Estimators",
            [
                Problem(
                    "tf.keras",
                    f"is Keras {version} already, expected tf-keras (Keras 2)",
                    "call tuner.install_estimator() before TensorFlow is used, or set TF_USE_LEGACY_KERAS=1",
                )
            ],
        )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _minor(version: str) -> tuple[int, int]:
    parts = version.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[1].isdecimal() else (0, 0)


def _estimator_training() -> ModuleType:
    """Make the distribute coordinator's module: it never has anything to do."""
    module = ModuleType("tensorflow.python.distribute.estimator_training")

    def init_run_config(config: Any, tf_config: Any) -> None:
        """Leave the RunConfig without a coordinator."""
        del tf_config
        config._distribute_coordinator_mode = None

    def should_run_distribute_coordinator(config: Any) -> bool:
        """Say no: train_and_evaluate's own executor runs all tasks."""
        del config
        return False

    module.init_run_config = init_run_config  # type: ignore[attr-defined]
    module.should_run_distribute_coordinator = should_run_distribute_coordinator  # type: ignore[attr-defined]
    return module


def _export_decorator() -> ModuleType:
    """Make the module of ``estimator_export``, a decorator that returns what it is given."""

    class estimator_export:  # noqa: N801 - the package's name
        """Take names of the API and do nothing with them."""

        def __init__(self, *names: str, v1: Sequence[str] | None = None) -> None:
            del names, v1

        def __call__(self, subject: T) -> T:
            return subject

        def export_constant(self, module_name: str, name: str) -> None:
            """Do nothing."""

    module = ModuleType(f"{_PACKAGE}.estimator_export")
    module.estimator_export = estimator_export  # type: ignore[attr-defined]
    return module


class _NoTpu(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find the package's TPU modules: packages whose every name refuses to be used."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if name == _TPU or name.startswith(f"{_TPU}."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _TpuModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        del module


class _TpuModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _refusing(name)


def _refusing(name: str) -> Callable[..., Any]:
    """Make a class that stands for a TPU name and cannot be used."""

    def refuse(self: Any, *_args: Any, **_kwargs: Any) -> None:
        del self
        raise NotImplementedError(
            f"tf.estimator.tpu.{name} is not supported: TPU Estimators need TensorFlow 2.15 or older"
        )

    return type(name, (), {"__init__": refuse, "__doc__": "Not supported: TPU Estimators are gone."})
