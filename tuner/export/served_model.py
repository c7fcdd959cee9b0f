"""What MLflow serves: rows in, one column for each output of the SavedModel's signature out.

This file is stored in the model and runs where the model is served; it needs MLflow, TensorFlow, NumPy
and pandas, and nothing else.
"""

import os
import re
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

PREFERRED = ("serving_default", "predict")
# What TensorFlow's errors begin with before they come to what went wrong: where the node was made.
_BEFORE = re.compile(r"Graph execution error:\s+(?:(?:Detected at node|Node: ).*\n(?:[ \t].*\n|\n)*)*")


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Answer with a signature of a SavedModel: ``serving_default``, else ``predict``, else the first by name."""

    def load_context(self, context: Any) -> None:
        """Load the SavedModel."""
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(Path(context.artifacts["saved_model"])))
        names = sorted(self._loaded.signatures)
        chosen = next((name for name in PREFERRED if name in names), names[0])
        self._signature = self._loaded.signatures[chosen]
        self._inputs = self._signature.structured_input_signature[1]

    def predict(self, context: Any, model_input: Any, params: Any = None) -> pd.DataFrame:
        """Return a row for each row of ``model_input``, a DataFrame or a mapping of columns."""
        import tensorflow as tf

        del context, params
        fed = {name: _tensor(model_input, name, spec) for name, spec in self._inputs.items()}
        try:
            outputs = self._signature(**fed)
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            raise _refused(_BEFORE.sub("", str(error)).splitlines()[0]) from error
        answer: pd.DataFrame = pd.DataFrame({key: _column(tensor.numpy()) for key, tensor in sorted(outputs.items())})
        return answer


def _tensor(rows: Any, name: str, spec: Any) -> Any:
    """Return a column as the tensor that the signature takes."""
    import tensorflow as tf

    if isinstance(rows, np.ndarray):
        values: Any = rows
    elif name in rows:
        values = rows[name]
    else:
        raise _refused(f"there is no column {name!r}; found: {', '.join(map(str, rows))}")
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    try:
        # NumPy's own type for bytes drops the zeros at their end, which serialised Examples have.
        array = np.array(values, object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype)
    except (ValueError, TypeError) as error:
        raise _refused(f"column {name!r} is not {spec.dtype.name}: {error}") from error
    shape = spec.shape
    if shape.rank is not None and array.ndim != shape.rank:
        wanted = [-1 if size is None else size for size in shape.as_list()]
        if wanted.count(-1) > 1 or array.size != len(array) * int(np.prod(wanted[1:])):
            raise _refused(f"column {name!r} has the shape {array.shape}, expected {tuple(shape.as_list())}")
        array = array.reshape([len(array), *wanted[1:]])
    if not shape.is_compatible_with(array.shape):
        raise _refused(f"column {name!r} has the shape {array.shape}, expected {tuple(shape.as_list())}")
    return tf.constant(array.tolist() if spec.dtype == tf.string else array, spec.dtype)


def _column(values: np.ndarray) -> Any:
    """Return an output as a column: numbers, strings, or lists if a row has several."""
    if values.dtype.kind in "OS":
        text = np.empty(values.shape, object)
        text.ravel()[:] = [item.decode("utf-8", "replace") for item in values.ravel().tolist()]
        values = text
    return values if values.ndim == 1 else values.tolist()


def _refused(message: str) -> MlflowException:
    error: MlflowException = MlflowException.invalid_parameter_value(message)
    return error


mlflow.models.set_model(ServedModel())
