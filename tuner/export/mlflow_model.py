"""A SavedModel as an MLflow model: served_model.py beside it, signature, input example, exact requirements.

``mlflow.tensorflow.log_model`` takes Keras models and TF2 modules, not what an Estimator exports, so it
is a model from code.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tuner.export.signature import Signature, TensorShape
from tuner.recorders.mlflow.store import prepare_environment

_EXAMPLE_ROWS = 5
_REASON = 300  # characters of MLflow's messages, which have the whole example in them
_COLUMN_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double"}


class _Undescribed(Exception):
    """MLflow cannot be told what the model takes; says why."""


def import_mlflow() -> None:
    """Import what packing needs, for a process that waits."""
    prepare_environment()
    from mlflow.utils import requirements_utils

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    # MLflow compares the requirements with what is installed, which they were made from, and goes through every file
    # that is installed for the names of modules: nine tenths of an export's time.
    vars(requirements_utils)["_MODULES_TO_PACKAGES"] = {}


def pack(
    folder: Path,
    saved_model: Path,
    served: Signature,
    inputs: Mapping[str, Any],
    examples: Collection[str],
    facts: Mapping[str, Any],
) -> str:
    """Write the MLflow model of a SavedModel.

    Args:
        folder: Where to; must not be there.
        saved_model: Copied into it.
        served: Signature that answers.
        inputs: Rows by name, of which the first become the input example; empty if none are known.
        examples: Those of the inputs that are serialised Examples.
        facts: Go into the model's metadata.

    Returns:
        Why it has neither signature nor input example, or an empty string.
    """
    import_mlflow()
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    def write(**described: Any) -> None:
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"saved_model": str(saved_model)},
            pip_requirements=requirements(),
            metadata=dict(facts),
            **described,
        )

    try:
        write(**_description(served, inputs, examples))
    except (_Undescribed, MlflowException) as error:
        shutil.rmtree(folder, ignore_errors=True)
        write()
        why = str(error).splitlines()[0][:_REASON]
        return f"the MLflow model has no signature and no input example: {why}"
    return ""


def _description(served: Signature, inputs: Mapping[str, Any], examples: Collection[str]) -> dict[str, Any]:
    """Return what MLflow is told of the model: its signature, and an input example if there are rows.

    Raises:
        _Undescribed: It has no words for it.
    """
    from mlflow.models import ModelSignature

    columnar = all(tensor.is_column for tensor in served.inputs.values())
    binary = {
        name
        for name in served.inputs
        if name in examples or any(isinstance(v, bytes) and not _is_text(v) for v in _first(inputs, name))
    }
    if binary and not columnar:
        raise _Undescribed(
            f"{', '.join(sorted(binary))} is bytes, which it knows beside columns of one value a row alone"
        )
    takes = {name: _ranked(name, tensor, inputs) for name, tensor in served.inputs.items()}
    signature = ModelSignature(inputs=_schema(takes, columnar, binary), outputs=_schema(served.outputs, False, set()))
    return {"signature": signature, "input_example": _example(takes, inputs, columnar, binary)}


def _ranked(name: str, tensor: TensorShape, inputs: Mapping[str, Any]) -> TensorShape:
    """Return an input as MLflow can be told of it; if its rank is open, that of its rows is taken."""
    if tensor.sparse:
        raise _Undescribed(f"{name} is sparse, and it knows dense inputs alone")
    if tensor.shape is not None:
        return tensor
    if name not in inputs:
        raise _Undescribed(f"the rank of {name} is open, and it wants one")
    return replace(tensor, shape=(None, *inputs[name].shape[1:]))


def requirements() -> list[str]:
    """Return what loading the model needs, with the versions that are here."""
    return [f"{name}=={metadata.version(name)}" for name in ("mlflow", _tensorflow(), "numpy", "pandas")]


def _tensorflow() -> str:
    """Return the name under which TensorFlow is installed: ``tensorflow-cpu`` and the like are the same package."""
    try:
        return metadata.distribution("tensorflow").name
    except metadata.PackageNotFoundError:
        homes = metadata.packages_distributions()  # goes through every file that is installed: seconds
        return next((name for name in homes.get("tensorflow", []) if name.startswith("tensorflow")), "tensorflow")


def _first(inputs: Mapping[str, Any], name: str) -> list[Any]:
    return inputs[name].ravel()[:_EXAMPLE_ROWS].tolist() if name in inputs else []


def _is_text(value: bytes) -> bool:
    try:
        return all(character.isprintable() or character in "\n\r\t" for character in value.decode())
    except UnicodeDecodeError:
        return False


def _schema(tensors: Mapping[str, TensorShape], columnar: bool, binary: set[str]) -> Any:
    from mlflow.types import ColSpec, Schema, TensorSpec

    kinds = {name: _kind(tensor.dtype) for name, tensor in tensors.items()}
    if columnar or all(tensor.is_column for tensor in tensors.values()):
        columns = {n: "binary" if n in binary else _COLUMN_TYPES.get(kind.kind, "string") for n, kind in kinds.items()}
        return Schema([ColSpec(column, name) for name, column in sorted(columns.items())])
    shapes = {name: [-1 if n is None else n for n in tensor.shape or (None,)] for name, tensor in tensors.items()}
    return Schema([TensorSpec(kind, shapes[name], name) for name, kind in sorted(kinds.items())])


def _kind(dtype: str) -> Any:
    """Return NumPy's type for TensorFlow's.

    Raises:
        _Undescribed: It has none.
    """
    try:
        return np.dtype({"string": "str", "bfloat16": "float32"}.get(dtype, dtype))
    except TypeError as error:
        raise _Undescribed(f"it has no type for {dtype}") from error


def _example(takes: Mapping[str, TensorShape], inputs: Mapping[str, Any], columnar: bool, binary: set[str]) -> Any:
    """Return the first rows as the signature takes them, or None if there are none."""
    import pandas as pd

    if not inputs:
        return None
    fixed = next((tensor.rows for tensor in takes.values() if tensor.rows is not None), _EXAMPLE_ROWS)
    rows = {name: inputs[name][:fixed] for name in takes}
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
