"""Load an export in a process without the toolkit, and compare its predictions with the Estimator's.

Runs as a file (``python parity_check.py STAGE``) and imports nothing of tuner: what is checked is what a
server has. TensorFlow is imported at once; a line on standard input says that the export is there,
its end that there will be none. The verdict is STAGE/verdict.json: ``problem`` (empty if all is well),
``differs`` (whether it is that predictions do), ``rows``, ``difference``, ``compared`` (signature/output),
``left_out`` (signatures that were not compared), ``unserved`` (why the MLflow model does not answer).
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS_FILE, VERDICT_FILE = "rows.json", "verdict.json"
SAVED_MODEL, MLFLOW_MODEL, LOG_FILE = "saved_model", "model", "log.txt"
# What TensorFlow's errors begin with before they come to what went wrong: where the node was made.
_BEFORE = re.compile(r"Graph execution error:\s+(?:(?:Detected at node|Node: ).*\n(?:[ \t].*\n|\n)*)*")


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
    """Return the largest difference of two arrays, relative if values are above one; infinite if they disagree.

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
    try:
        model = tf.saved_model.load(str(stage / SAVED_MODEL))
    except Exception as error:
        return {"problem": f"the SavedModel does not load if TensorFlow alone is imported: {_line(error)}"}
    missing = sorted(set(told["signatures"]) - set(model.signatures))
    if missing:
        return {"problem": f"the SavedModel has lost the signatures {', '.join(missing)}"}
    worst, compared, left_out = 0.0, [], []
    for name, described in told["signatures"].items():
        feeds = described["inputs"]
        outputs = {key: tensor for key, tensor in described["outputs"].items() if tensor is not None}
        fed = bool(inputs) and set(feeds.values()) <= set(inputs)
        if not fed or not outputs:
            left_out.append(name)
        if not fed:
            continue
        signature = model.signatures[name]
        takes = signature.structured_input_signature[1]
        try:
            found = signature(**{key: tf.constant(inputs[feeds[key]], spec.dtype) for key, spec in takes.items()})
        except Exception as error:
            return {"problem": f"the signature {name} fails for rows that the Estimator predicts for: {_line(error)}"}
        for key, tensor in outputs.items():
            worst = max(worst, difference(predictions[tensor], found[key].numpy()))
            compared.append(f"{name}/{key}")
    unserved = ""
    try:
        apart = _check_served(stage, told, predictions)
    except Exception as error:
        unserved = _line(error)
    else:
        if apart is not None:
            worst = max(worst, apart)
            compared.append("MLflow")
    return {
        "problem": "" if worst <= told["tolerance"] else f"predictions differ by {worst:.3g}",
        "differs": worst > told["tolerance"],
        "rows": len(next(iter(inputs.values()))) if inputs else 0,
        "difference": worst,
        "compared": compared,
        "left_out": left_out,
        "unserved": unserved,
    }


def _check_served(stage: Path, told: Mapping[str, Any], predictions: Mapping[str, Any]) -> float | None:
    """Return how far the MLflow model's answer to its own input example is from the Estimator's.

    None if it has no example, or nothing that it answers is a prediction.
    """
    import mlflow.pyfunc
    import numpy as np

    model: Any = mlflow.pyfunc.load_model(str(stage / MLFLOW_MODEL))
    if model.input_example is None:
        return None
    answer = model.predict(model.input_example)
    apart = []
    for key, tensor in told["signatures"][told["served"]]["outputs"].items():
        if tensor is not None:
            expected = predictions[tensor][: len(answer)]
            text = expected.dtype.kind == "O"
            found = np.array(answer[key].tolist(), object if text else None)  # as text, zeros at its end would go
            apart.append(difference(_as_text(expected) if text else expected, found))
    return max(apart, default=None)


def _as_text(values: Any) -> Any:
    """Return bytes as they come out of the MLflow model's text, which has a mark for what is not UTF-8."""
    import numpy as np

    return np.vectorize(lambda item: item.decode("utf-8", "replace").encode(), otypes=[object])(values)


def _line(error: Exception) -> str:
    text = _BEFORE.sub("", str(error)).splitlines() or [""]
    return f"{type(error).__name__}: {text[0]}"[:300]


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

    _import_tensorflow()
    from mlflow.utils import requirements_utils

    # A model that is loaded has its requirements compared with what is installed here, from which they were made a
    # moment ago: MLflow goes through every file that is installed for that, most of this check's time.
    vars(requirements_utils)["_MODULES_TO_PACKAGES"] = {}
    if sys.stdin.readline():
        judge(stage)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # what is imported takes a second or more to take apart, and the sweep's end waits for this process


def _import_tensorflow() -> None:
    """Import it without Keras, half of its time, which it imports for its users alone: no SavedModel needs it.

    Whoever asks for ``tf.keras`` has it nevertheless, imported then.
    """
    without = [name for name in ("keras", "tf_keras") if name not in sys.modules]
    for name in without:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system's word for: is not there
    try:
        import tensorflow  # noqa: F401
    finally:
        for name in without:
            del sys.modules[name]


def judge(stage: Path) -> None:
    """Check the export in ``stage`` and leave the verdict there."""
    try:
        verdict = check(stage)
    except Exception as error:
        traceback.print_exc()
        verdict = {"problem": f"it ended in an error: {_line(error)}"}
    if "tuner" in sys.modules:
        verdict["problem"] = "tuner itself was imported"
    (stage / VERDICT_FILE).write_text(json.dumps(verdict), encoding="utf-8")


if __name__ == "__main__":
    main()
