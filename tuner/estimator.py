"""``tf.estimator`` on TensorFlow 2.16 and later, put together from the tensorflow-estimator package.

TensorFlow took ``tf.estimator`` out in 2.16. The last release of its code, tensorflow-estimator
2.15.0, still runs on later TensorFlow when a few modules that it imports are put in place first:

| what the package imports                                | what takes its place     | why that is enough |
|---------------------------------------------------------|--------------------------|--------------------|
| ``tensorflow.python.distribute.estimator_training``     | a module of two functions | the distribute coordinator only ran for strategies over several machines, which are refused |
| ``tensorflow_estimator.python.estimator.estimator_export`` | a decorator that does nothing | it only registered names for the generator of TensorFlow's API |
| ``tensorflow_estimator.python.estimator.tpu`` and below | names that refuse to be used | TPU Estimators need TPU code that TensorFlow no longer has |
| ``tf.keras``                                            | tf-keras, of TensorFlow's minor | Estimators work with Keras 2; ``TF_USE_LEGACY_KERAS`` makes TensorFlow itself use it |

On TensorFlow 2.15 nothing is put in place: it has Estimators of its own.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
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
        InvalidInput: The installed versions do not go together, or Keras 3 is in use; says which, and the remedy.
    """
    if _check_versions() == OLDEST:
        return
    imported_before = "tensorflow" in sys.modules
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    if "estimator" in vars(tf):
        return
    if imported_before:
        _take_tf_keras(tf)
    sys.modules.setdefault("tensorflow.python.distribute.estimator_training", _estimator_training())
    sys.modules.setdefault(f"{_PACKAGE}.estimator_export", _export_decorator())
    if not any(isinstance(finder, _NoTpu) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoTpu())
    names = {version: importlib.import_module(f"{_PACKAGE}.api._{version}.estimator") for version in ("v1", "v2")}
    for parent, version in ((tf.compat.v1, "v1"), (tf.compat.v2, "v2"), (tf, "v2")):
        for inner in ("v1", "v2"):  # tf.compat.v1.compat.v2, which programs of `import tensorflow.compat.v1 as tf` use
            getattr(parent.compat, inner).estimator = names[inner]
        parent.estimator = names[version]
    _alias("tensorflow.estimator", names["v2"])
    _alias("tensorflow.compat.v2.estimator", names["v2"])
    _alias("tensorflow.compat.v1.estimator", names["v1"])


def _alias(name: str, module: ModuleType) -> None:
    """Let a module and those in it be imported by another name as well."""
    source = module.__name__
    for found in [key for key in sys.modules if key == source or key.startswith(f"{source}.")]:
        sys.modules[name + found[len(source) :]] = sys.modules[found]


def _take_tf_keras(tf: Any) -> None:
    """Have a TensorFlow that was imported without TF_USE_LEGACY_KERAS take tf-keras, if it took no Keras yet."""
    for parent in (tf, tf.compat.v1, tf.compat.v2):
        for name in ("keras", "layers", "losses", "metrics", "optimizers", "initializers"):
            facts = vars(getattr(parent, name, tf))
            file = Path(facts.get("__file__") or "")
            if facts.get("_tfll_keras_version") == "keras_3" or "_tf_keras" in file.parts:
                found = f"is Keras {_version('keras')} already, expected tf-keras {_version('tf-keras')} (Keras 2)"
                remedy = "call tuner.install_estimator() before TensorFlow is used, or set TF_USE_LEGACY_KERAS=1"
                raise InvalidInput("Estimators", [Problem("tf.keras", found, remedy)])
    spec = importlib.util.find_spec("tf_keras")
    home = Path(spec.origin).parent / "api" if spec and spec.origin else Path()
    for parent, folder in (
        (tf, home / "_v2"),
        (tf.compat.v2, home / "_v2"),
        (tf.compat.v1, home / "_v1"),
        (tf.compat.v1, home / "_v1/keras/__internal__/legacy"),
    ):
        # Where `from tensorflow.keras import ...` looks, which tf.keras itself does not go by.
        parent.__path__ = [str(folder), *(entry for entry in parent.__path__ if entry != str(folder))]


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
        """Set up a RunConfig that has distribution strategies, for one machine or between-graph clusters."""
        experimental = config._experimental_distribute
        for role in ("train_distribute", "eval_distribute"):
            strategy = getattr(experimental, role, None)
            if strategy and getattr(config, f"_{role}"):
                raise ValueError(f"{role} and experimental_distribute.{role} are both set, expected one of them")
            if strategy:
                setattr(config, f"_{role}", strategy)
        workers = (tf_config or {}).get("cluster")
        if config._train_distribute and (workers or getattr(experimental, "remote_cluster", None)):
            raise ValueError(
                "train_distribute over a TF_CONFIG cluster needs TensorFlow 2.15, which has the distribute "
                "coordinator; leave train_distribute out (workers and ps then train asynchronously), or use one machine"
            )
        config._distribute_coordinator_mode = None
        config._init_distributed_setting_from_environment_var(tf_config)
        config._maybe_overwrite_session_config_for_distributed_training()

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
        return _Refusing(name, (), {"__doc__": "Not supported: TPU Estimators are gone."})


class _Refusing(type):
    """The type of what stands for a TPU name: it may be imported, but neither called nor looked into."""

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError(cls._refusal())

    def __getattr__(cls, name: str) -> Any:
        raise AttributeError(name if name.startswith("_") else cls._refusal())

    def _refusal(cls) -> str:
        return f"tf.estimator.tpu.{cls.__name__}: TPU Estimators are not supported; they need TensorFlow 2.15 or older"
