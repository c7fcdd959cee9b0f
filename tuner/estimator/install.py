"""``tf.estimator`` on TensorFlow 2.16 and later, put together from the tensorflow-estimator package.

TensorFlow took ``tf.estimator`` out in 2.16. The last release of its code, tensorflow-estimator
2.15.0, still runs on later TensorFlow when a few modules that it imports are put in place first
(``STAND_INS`` in ``patch.py`` lists them) and ``tf.keras`` is tf-keras of TensorFlow's minor: Estimators
work with Keras 2; ``TF_USE_LEGACY_KERAS`` makes TensorFlow itself use it.

TensorFlow 2.15 has Estimators of its own. On each, ``pandas_input_fn`` learns the types of today's pandas.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from tuner.errors import InvalidInput, Problem
from tuner.estimator.pandas_input import take_dataframes
from tuner.estimator.stand_ins import put_in_place

OLDEST, BEYOND = (2, 15), (2, 22)
_PACKAGE = "tensorflow_estimator.python.estimator"


def install_estimator() -> None:
    """Make ``tf.estimator`` and ``tf.compat.v1.estimator`` work; a second call does nothing.

    Runs no TensorFlow operation and starts no device, so a process may be forked afterwards. Call it
    before Keras is used: Estimators need Keras 2.

    Raises:
        InvalidInput: The installed versions do not go together, or Keras 3 is in use; says which, and the remedy.
    """
    if _check_versions() == OLDEST:
        take_dataframes()
        return
    imported_before = "tensorflow" in sys.modules
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    if "estimator" in vars(tf):
        return
    if imported_before:
        _take_tf_keras(tf)
    put_in_place()
    names = {version: importlib.import_module(f"{_PACKAGE}.api._{version}.estimator") for version in ("v1", "v2")}
    for parent, version in ((tf.compat.v1, "v1"), (tf.compat.v2, "v2"), (tf, "v2")):
        for inner in ("v1", "v2"):  # tf.compat.v1.compat.v2, which programs of `import tensorflow.compat.v1 as tf` use
            getattr(parent.compat, inner).estimator = names[inner]
        parent.estimator = names[version]
    _alias("tensorflow.estimator", names["v2"])
    _alias("tensorflow.compat.v2.estimator", names["v2"])
    _alias("tensorflow.compat.v1.estimator", names["v1"])
    take_dataframes()


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
