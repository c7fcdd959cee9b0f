"""What an error of the user's code is said as: itself, the user's own line, and what TensorFlow 2 calls its lack."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from pathlib import Path

from tuner.errors import TunerError

# What TensorFlow's errors begin with before they come to what went wrong: where the node was made.
_BEFORE = re.compile(r"Graph execution error:\s+(?:(?:Detected at node|Node: ).*\n(?:[ \t].*\n|\n)*)*")
_LACKS = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_PACKAGE = Path(__file__).parents[1]


def in_a_line(error: BaseException) -> str:
    """Return an error in one line, as the last one of its traceback, with the file's name where it happened."""
    if isinstance(error, TunerError):
        return error.message
    if isinstance(error, SystemExit):
        return f"the model called exit({error.code if error.code is not None else ''})"
    line = next(iter(_BEFORE.sub("", _words(error)).splitlines()), "").rstrip()
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{line} (line {error.lineno} of {error.filename}: {(error.text or '').strip()})"
    frame = _own_frame(error)
    place = f" (line {frame.lineno} of {Path(frame.filename).name})" if frame else ""
    return f"{line}{place}{_since_tensorflow_1(error)}"


def in_full(error: BaseException) -> str:
    """Return all that an error says, with the path of the file where it happened; a line that Python cannot read too.

    Where no line of the user's is in the traceback, it is the one that raised it.
    """
    if isinstance(error, SyntaxError) and error.lineno is not None and error.filename:
        shown = f"\n    {error.text.strip()}" if error.text and error.text.strip() else ""
        return f"{_words(error)} (line {error.lineno} of {error.filename}){shown}"
    frame = _own_frame(error) or _deepest_frame(error)
    place = f" (line {frame.lineno} of {frame.filename})" if frame else ""
    return f"{_words(error)}{place}{_since_tensorflow_1(error)}"


def _words(error: BaseException) -> str:
    """Return an error's type and message, as the traceback has them, without the notes that follow (Python 3.11)."""
    said = traceback.TracebackException(type(error), error, None)
    said.__notes__ = None  # type: ignore[attr-defined]
    return list(said.format_exception_only())[-1].strip()


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the last place of the user's in an error's traceback; None where there is none."""
    others = [*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), str(_PACKAGE)]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        foreign = any(file.is_relative_to(other) for other in others) and _PACKAGE / "examples" not in file.parents
        if os.path.isfile(file) and not foreign:  # noqa: PTH113 - Path's raises where the name is none of a file
            return frame
    return None


def _deepest_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the last place of an error's traceback that is neither Python's import nor ours."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    frames = [frame for frame in frames if _PACKAGE not in Path(frame.filename).parents]
    return frames[-1] if frames else None


def _since_tensorflow_1(error: BaseException) -> str:
    """Say where TensorFlow 2 has what code of TensorFlow 1 looked for in vain; nothing for any other error."""
    found = _LACKS.search(_words(error)) if isinstance(error, AttributeError) else None
    if found is None or not {"tensorflow", "keras", "tensorboard"} & set(found[1].split(".")):
        return ""
    if found[2] == "contrib":
        return "; tf.contrib ended with TensorFlow 1"
    name = ".".join([*_public(found[1]), found[2]])
    if not _is_in_version_1(name):
        return ""
    return f"; TensorFlow 2 has it as tf.compat.v1.{name}: import tensorflow.compat.v1 as tf"


def _public(module: str) -> list[str]:
    """Return the parts of a module's name as users write it after ``tf.``; where it is made up of others', its end.

    ``tensorflow._api.v2.train`` is ``tf.train``, ``keras._tf_keras.keras.metrics`` is ``tf.metrics``.
    """
    parts = module.split(".")
    if parts[0] == "tensorflow":
        return [part for part in parts[1:] if part not in ("_api", "v2")]
    return parts[-1:]


def _is_in_version_1(name: str) -> bool:
    import tensorflow as tf

    thing = tf.compat.v1
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return thing is not None
