"""What an error of the user's code is said as: itself, the user's own line, and what TensorFlow 2 calls its lack."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tuner.errors import TunerError
from tuner.model.tensorflow_1 import uses

# What TensorFlow's errors begin with before they come to what went wrong: where the node was made.
_BEFORE = re.compile(r"Graph execution error:\s+(?:(?:Detected at node|Node: ).*\n(?:[ \t].*\n|\n)*)*")
_LACKS = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_PACKAGE = Path(__file__).parents[1]


def one_line(error: BaseException) -> str:
    """Return an error in one line, as the last one of its traceback, with the file's name where it happened."""
    if isinstance(error, TunerError):
        return error.message
    if isinstance(error, SystemExit):
        return f"the model called exit({error.code if error.code is not None else ''})"
    line = next(iter(_BEFORE.sub("", _words(error)).splitlines()), "").rstrip()
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{line} (line {error.lineno} of {error.filename}: {(error.text or '').strip()})"
    own = own_place(_stack(error))
    place = f" (line {own[1]} of {Path(own[0]).name})" if own else ""
    return f"{line}{place}{_since_tensorflow_1(error)}"


def full_text(error: BaseException) -> str:
    """Return all that an error says, with the path of the file where it happened; a line that Python cannot read too.

    If no line of the user's is in the traceback, it is the one that raised it.
    """
    if isinstance(error, SyntaxError) and error.lineno is not None and error.filename:
        shown = f"\n    {error.text.strip()}" if error.text and error.text.strip() else ""
        return f"{_words(error)} (line {error.lineno} of {error.filename}){shown}"
    found = own_place(_stack(error)) or _deepest_place(error)
    place = f" (line {found[1]} of {found[0]})" if found else ""
    return f"{_words(error)}{place}{_since_tensorflow_1(error)}"


def _words(error: BaseException) -> str:
    """Return an error's type and message, as the traceback has them, without the notes that follow (Python 3.11)."""
    said = traceback.TracebackException(type(error), error, None)
    said.__notes__ = None  # type: ignore[attr-defined]
    words = list(said.format_exception_only())[-1].strip()
    converted = _converted(error)
    if converted is None:
        return words
    kind, message = words.partition(":")[0], str(converted.cause_message)
    return message if message.startswith(f"{kind}:") else f"{kind}: {message}".strip()


def _converted(error: BaseException) -> Any:
    """Return what AutoGraph knows of an error in code that it has converted (of ``dataset.map``); None for others.

    Such an error was raised again by a generated file, with the user's own lines in its message.
    """
    return getattr(error, "ag_error_metadata", None)


def _stack(error: BaseException) -> Iterator[tuple[str, int]]:
    """Yield the places of an error's traceback, the deepest first; of code that was converted those of the user's."""
    converted = _converted(error)
    if converted is not None:
        yield from ((frame.filename, frame.lineno) for frame in converted.translated_stack)
        return
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        yield frame.filename, frame.lineno or 0


def own_place(stack: Iterable[tuple[str, int]]) -> tuple[str, int] | None:
    """Return file and line of the first place of a stack that is the user's; None if there is none."""
    others = [*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), str(_PACKAGE)]
    for name, line in stack:
        file = Path(name)
        foreign = any(file.is_relative_to(other) for other in others) or "site-packages" in file.parts
        if os.path.isfile(file) and (not foreign or _PACKAGE / "examples" in file.parents):  # noqa: PTH113 - Path's raises if the name is none of a file
            return name, line
    return None


def _deepest_place(error: BaseException) -> tuple[str, int] | None:
    """Return the last place of an error's traceback that is neither Python's import nor ours."""
    places = (place for place in _stack(error) if "importlib" not in place[0])
    return next((place for place in places if _PACKAGE not in Path(place[0]).parents), None)


def _since_tensorflow_1(error: BaseException) -> str:
    """Say where TensorFlow 2 has what code of TensorFlow 1 looked for in vain; nothing for any other error."""
    if said := _said_of_its_line(error):
        return f"; {said}"
    found = _LACKS.search(_words(error)) if isinstance(error, AttributeError) else None
    if found is None or not {"tensorflow", "keras", "tensorboard"} & set(found[1].split(".")):
        return ""
    name = ".".join([*_public(found[1]), found[2]])
    if not _is_in_version_1(name):
        return ""
    return f"; TensorFlow 2 has it as tf.compat.v1.{name}: import tensorflow.compat.v1 as tf"


def _said_of_its_line(error: BaseException) -> str:
    """Return what the table says of what TensorFlow lacks in the user's line that failed; empty if it says nothing."""
    own = own_place(_stack(error)) if isinstance(error, (AttributeError, ImportError)) else None
    if own is None or "tensorflow" not in _words(error):
        return ""
    try:
        found = uses(Path(own[0]).read_text(encoding="utf-8", errors="replace"))
    except (OSError, SyntaxError, ValueError):
        return ""
    return "; ".join(str(use) for use in found if use.line == own[1])


def _public(module: str) -> list[str]:
    """Return the parts of a module's name as users write it after ``tf.``; if it is made up of others', its end.

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
