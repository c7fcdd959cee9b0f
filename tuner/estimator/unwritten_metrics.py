"""What was evaluated and is no scalar in the event files: its type and shape, left beside them.

An Estimator leaves out of the event file of an evaluation what is no float32, float64, int32 or int64 (a float16, a
bool, a string), and writes arrays as tensors. Without a word of that, such an objective never came.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuner.estimator.patch import patched
from tuner.files.atomic import write_whole
from tuner.files.paths import TrialDir

WRITE = "tensorflow_estimator.python.estimator.estimator:_write_dict_to_summary"


@contextmanager
def note_unwritten_metrics(trial_dir: Path) -> Iterator[None]:
    """Leave in a trial's folder what its evaluations meanwhile compute and do not write as scalars."""
    file, known = TrialDir(trial_dir).unwritten_metrics_file, dict[str, str]()

    def write(
        original: Callable[..., None], output_dir: str, dictionary: Mapping[str, Any], current_global_step: int
    ) -> None:
        original(output_dir, dictionary, current_global_step)
        found = {key: kind for key, value in dictionary.items() if (kind := unwritten_kind(value))}
        if found.keys() - known.keys():
            known.update(found)
            with contextlib.suppress(OSError):  # a write that matters will report it
                write_whole(file, json.dumps(known, indent=1))

    with patched(WRITE, "unwritten_metrics", write):
        yield


def unwritten_kind(value: Any) -> str:
    """Return type and shape of an evaluated value that becomes no scalar of the event file; empty if it becomes one."""
    import numpy as np

    if value is None or isinstance(value, (float, int, np.float32, np.int32, np.int64)):
        return ""
    if isinstance(value, (bytes, str)):
        return "string"
    if isinstance(value, np.ndarray):
        kind = "string" if value.dtype.kind in "OSU" else str(value.dtype)
        return "" if value.size == 1 and value.dtype.kind in "fiub" else f"{kind} of shape {list(value.shape)}"
    return type(value).__name__.removesuffix("_")
