"""Load an export in a process without the toolkit, and compare its predictions with the Estimator's.

Runs as a file (``python checking.py STAGE``) and imports nothing of tuner: what is checked is what a
server has. TensorFlow is imported at once; a line on standard input says that the export is there,
its end that there will be none. The verdict is STAGE/verdict.json: ``rows``, ``difference``,
``compared`` (signature/output), ``problem`` (empty where all is well).
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS_FILE, VERDICT_FILE = "rows.json", "verdict.json"
SAVED_MODEL, MLFLOW_MODEL = "saved_model", "model"


def encode(array: Any) -> dict[str, Any]:
    """Return an array as JSON that keeps every bit; strings are bytes."""
    import numpy as np

    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        flat = [item.encode() if isinstance(item, str) else bytes(item) for item in array.ravel().tolist()]
        return {"shape": array.shape, "bytes": [base64.b64encode(item).decode() for item in flat]}
    if array.dtype.kind not in "biufc":  # bfloat16 and the like
        array = array.astype(np.float32)
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"shape": array.shape, "dtype": array.dtype.str, "data": data}


def decode(data: Mapping[str, Any]) -> Any:
    """Return the array that ``encode`` was given."""
    import numpy as np

    if "bytes" in data:
        flat = np.empty(len(data["bytes"]), object)
        flat[:] = [base64.b64decode(item) for item in data["bytes"]]
        return flat.reshape(data["shape"])
    return np.frombuffer(base64.b64decode(data["data"]), data["dtype"]).reshape(data["shape"])


def difference(expected: Any, found: Any) -> float:
    """Return the largest difference of two arrays, relative where values are above one; infinite where they disagree.

    Strings, whole numbers, NaN and infinities have to be equal.
    """
    import numpy as np

    expected, found = np.asarray(expected), np.asarray(found)
    if expected.size != found.size:
        return float("inf")
    found = found.reshape(expected.shape)
    if expected.dtype.kind == "O" or found.dtype.kind in "OSU":
        as_bytes = [x.encode() if isinstance(x, str) else bytes(x) for x in found.ravel().tolist()]
        return 0.0 if as_bytes == expected.ravel().tolist() else float("inf")
    if expected.dtype.kind in "biu":
        return 0.0 if np.array_equal(expected, found) else float("inf")
    found = found.astype(expected.dtype)
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], found[~finite], equal_nan=True):
        return float("inf")
    apart = np.abs(expected[finite] - found[finite]) / np.maximum(1.0, np.abs(expected[finite]))
    return float(apart.max()) if apart.size else 0.0


def check(stage: Path) -> dict[str, Any]:
    """Check the export in ``stage``: the SavedModel by TensorFlow alone, the MLflow model by MLflow."""
    import tensorflow as tf

    told = json.loads((stage / ROWS_FILE).read_text(encoding="utf-8"))
    inputs = {name: decode(array) for name, array in told["inputs"].items()}
    predictions = {name: decode(array) for name, array in told["predictions"].items()}
    model = tf.saved_model.load(str(stage / SAVED_MODEL))
    missing = sorted(set(told["signatures"]) - set(model.signatures))
    if missing:
        return {"problem": f"the signatures {', '.join(missing)} were lost"}
    worst, compared = 0.0, []
    for name, outputs in told["signatures"].items():
        signature = model.signatures[name]
        takes = signature.structured_input_signature[1]
        if not set(takes) <= set(inputs):
            continue
        found = signature(**{key: tf.constant(inputs[key], spec.dtype) for key, spec in takes.items()})
        for key, prediction in outputs.items():
            if prediction is not None:
                worst = max(worst, difference(predictions[prediction], found[key].numpy()))
                compared.append(f"{name}/{key}")
    if told["served"] and inputs:
        worst = max(worst, _check_served(stage, told, inputs, predictions))
        compared.append("MLflow")
    problem = "" if worst <= told["tolerance"] else f"predictions differ by {worst:.3g}"
    rows = len(next(iter(inputs.values()))) if inputs else 0
    return {"problem": problem, "rows": rows, "difference": worst, "compared": compared}


def _check_served(
    stage: Path, told: Mapping[str, Any], inputs: Mapping[str, Any], predictions: Mapping[str, Any]
) -> float:
    """Return how far the MLflow model's answer to its own example, or else to the rows, is from the Estimator's."""
    import mlflow.pyfunc
    import numpy as np

    model: Any = mlflow.pyfunc.load_model(str(stage / MLFLOW_MODEL))
    example = model.input_example
    answer = model.predict(dict(inputs) if example is None else example)
    worst = 0.0
    for key, prediction in told["signatures"][told["served"]].items():
        if prediction is not None:
            found = np.array(answer[key].tolist())
            worst = max(worst, difference(predictions[prediction][: len(answer)], found))
    return worst


def main() -> None:
    """Import, wait for the export, check it, write the verdict."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda _signum, _frame: None)  # to all processes: whoever started this one ends it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signum])
    stage = Path(sys.argv[1])
    sys.path.pop(0)  # this file's folder: its neighbours are no modules of anybody's
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "TF_FORCE_GPU_ALLOW_GROWTH"):
        os.environ.setdefault(name, "true")
    import mlflow.pyfunc  # noqa: F401
    import tensorflow  # noqa: F401

    if not sys.stdin.readline():
        return
    try:
        verdict = check(stage)
    except Exception as error:
        verdict = {"problem": f"{type(error).__name__}: {error}"}
    if "tuner" in sys.modules:
        verdict["problem"] = "tuner itself was imported"
    (stage / VERDICT_FILE).write_text(json.dumps(verdict), encoding="utf-8")


if __name__ == "__main__":
    main()
