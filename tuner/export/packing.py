"""A SavedModel as an MLflow model: served_model.py beside it, signature, input example, exact requirements.

``mlflow.tensorflow.log_model`` takes Keras models and TF2 modules, not what an Estimator exports, so it
is a model from code.
"""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tuner.export.signature import Signature, TensorShape
from tuner.recorders.store import prepare_environment

_EXAMPLE_ROWS = 5
_COLUMN_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double"}


def pack(
    folder: Path, saved_model: Path, served: Signature, inputs: Mapping[str, Any], facts: Mapping[str, Any]
) -> str:
    """Write the MLflow model of a SavedModel, without a signature where MLflow has no words for what it takes.

    Args:
        folder: Where to; must not be there.
        saved_model: Copied into it.
        served: Signature that answers.
        inputs: Rows by name, of which the first become the input example; empty where none are known.
        facts: Go into the model's metadata.

    Returns:
        A note where it has no signature, else an empty string.
    """
    prepare_environment()
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    columnar = all(tensor.is_column for tensor in served.inputs.values())
    binary = {
        name for name in served.inputs if any(isinstance(v, bytes) and not _is_text(v) for v in _first(inputs, name))
    }
    save = functools.partial(
        mlflow.pyfunc.save_model,
        str(folder),
        python_model=str(Path(__file__).with_name("served_model.py")),
        artifacts={"saved_model": str(saved_model)},
        pip_requirements=requirements(),
        metadata=dict(facts),
    )
    try:
        signature = ModelSignature(
            inputs=_schema(served.inputs, columnar, binary), outputs=_schema(served.outputs, False, set())
        )
        save(signature=signature, input_example=_example(served.inputs, inputs, columnar, binary))
    except (MlflowException, TypeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        save()
        why = next(iter(str(error).splitlines()), "")
        return f"the MLflow model has no signature and no input example, as MLflow cannot describe its input: {why}"
    return ""


def requirements() -> list[str]:
    """Return what loading the model needs, with the versions that are here."""
    homes = metadata.packages_distributions()
    tensorflow = next((name for name in homes.get("tensorflow", []) if name.startswith("tensorflow")), "tensorflow")
    return [f"{name}=={metadata.version(name)}" for name in ("mlflow", tensorflow, "numpy", "pandas")]


def _first(inputs: Mapping[str, Any], name: str) -> list[Any]:
    return inputs[name][:_EXAMPLE_ROWS].ravel().tolist() if name in inputs else []


def _is_text(value: bytes) -> bool:
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _schema(tensors: Mapping[str, TensorShape], columnar: bool, binary: set[str]) -> Any:
    from mlflow.types import ColSpec, Schema, TensorSpec

    kinds = {name: _kind(tensor.dtype) for name, tensor in tensors.items()}
    if columnar or all(tensor.is_column for tensor in tensors.values()):
        columns = {n: "binary" if n in binary else _COLUMN_TYPES.get(kind.kind, "string") for n, kind in kinds.items()}
        return Schema([ColSpec(column, name) for name, column in sorted(columns.items())])
    if binary:
        raise ValueError(f"{', '.join(sorted(binary))} has bytes that are no text, beside what is no column")
    shapes = {name: [-1 if n is None else n for n in tensor.shape or (None,)] for name, tensor in tensors.items()}
    return Schema([TensorSpec(kind, shapes[name], name) for name, kind in sorted(kinds.items())])


def _kind(dtype: str) -> Any:
    """Return NumPy's type for TensorFlow's."""
    if dtype == "string":
        return np.dtype("str")
    return np.dtype(dtype if dtype != "bfloat16" else "float32")


def _example(takes: Mapping[str, Any], inputs: Mapping[str, Any], columnar: bool, binary: set[str]) -> Any:
    """Return the first rows as the signature takes them, or None where there are none."""
    import pandas as pd

    if not inputs or not set(takes) <= set(inputs):
        return None
    rows = {name: inputs[name][:_EXAMPLE_ROWS] for name in takes}
    if not columnar:
        return {n: _texts(values).astype(str) if values.dtype.kind == "O" else values for n, values in rows.items()}
    columns = {}
    for name, values in rows.items():
        flat = values.ravel()
        if flat.dtype.kind == "O":
            columns[name] = flat if name in binary else _texts(flat)
        else:
            columns[name] = flat.astype({"b": bool, "i": "int64", "u": "int64"}.get(flat.dtype.kind, "float64"))
    return pd.DataFrame(columns)


def _texts(values: Any) -> Any:
    return np.vectorize(lambda item: item.decode("utf-8", "replace"), otypes=[object])(values)
