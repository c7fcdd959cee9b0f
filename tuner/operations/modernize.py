"""``tuner modernize``: what of a trainer of TensorFlow 1 can be rewritten without understanding it, as a patch.

That are names which TensorFlow 2 has elsewhere, and Keras optimizers' ``lr``. Files are changed only by ``write``.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import InvalidInput
from tuner.files.atomic import write_whole
from tuner.model.tensorflow_1 import Use, uses

_PLAIN, _VERSION_1 = b"import tensorflow as tf", b"import tensorflow.compat.v1 as tf"
_OPTIMIZERS = frozenset({"Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD"})
_SKIPPED = frozenset({"mlruns", "__pycache__", "site-packages", "node_modules"})

Edit = tuple[int, int, int, bytes]
"""Line from 1, begin and end in it in bytes, what to write there."""


@dataclass(frozen=True)
class Modernized:
    """What came of a file.

    Attributes:
        file: Which.
        before: Its text.
        after: The text that it should have.
        left: What is left to be done by hand.
        unread: Why it could not be read, or an empty string.
    """

    file: Path
    before: str = ""
    after: str = ""
    left: tuple[Use, ...] = ()
    unread: str = ""

    def patch(self, folder: Path) -> str:
        """Return what changes, as ``patch -p1`` takes it in ``folder``; empty if nothing does."""
        name = self.file.relative_to(folder).as_posix()
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))

    def write(self) -> None:
        """Put the new text in the place of the old one."""
        write_whole(self.file, self.after)


def modernize(folder: Path, only_in_v1: Callable[[str], bool]) -> Iterator[Modernized]:
    """Yield what becomes of the Python files below a folder, but those of environments, records and hidden folders.

    Args:
        folder: Or a file.
        only_in_v1: As ``tuner.model.tensorflow_1.uses`` takes it.

    Raises:
        InvalidInput: There is none.
    """
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob("*.py") if _is_own(file, folder))
    if not files:
        raise InvalidInput("", f"{folder} has no Python file, expected a folder of a trainer")
    for file in files:
        try:
            before = file.read_bytes().decode("utf-8")
            after = modernized(before, only_in_v1)
            yield Modernized(file, before, after, tuple(uses(after, only_in_v1)))
        except SyntaxError as error:
            yield Modernized(file, unread=f"line {error.lineno} is no Python 3: {error.msg}")
        except (OSError, ValueError, RecursionError) as error:
            yield Modernized(file, unread=str(error))


def modernized(text: str, only_in_v1: Callable[[str], bool]) -> str:
    """Return a Python text with what is mechanical done.

    Raises:
        SyntaxError: It is no Python 3.
    """
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    found = uses(text, only_in_v1)
    # One import does for all that only version 1 has; without it each is written out.
    whole = any(use.only_in_v1 for use in found) and any(line.strip() == _PLAIN for line in lines)
    edits = [*_learning_rates(text), *_names([use for use in found if not (whole and use.only_in_v1)], lines)]
    for number, begin, end, new in sorted(set(edits), reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:begin] + new + line[end:]
    if whole:
        lines = [line.replace(_PLAIN, _VERSION_1) if line.strip() == _PLAIN else line for line in lines]
    return b"".join(lines).decode()


def _names(found: list[Use], lines: list[bytes]) -> Iterator[Edit]:
    """Yield what changes names that only have to be written otherwise."""
    for use in found:
        line = lines[use.line - 1]
        if use.span is not None and use.name and line[slice(*use.span)].startswith(b"tf."):
            yield use.line, *use.span, use.name.encode()
        elif use.span is None and use.name:
            begin = line.find(use.symbol.encode())
            if begin >= 0:
                yield use.line, begin, begin + len(use.symbol.encode()), use.name.encode()


def _learning_rates(text: str) -> Iterator[Edit]:
    """Yield what changes ``lr`` of Keras optimizers."""
    tree = ast.parse(text)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and {"keras", "optimizers"} <= set((node.module or "").split("."))
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        if last in _OPTIMIZERS and (name in imported or "optimizers." in name):
            for keyword in node.keywords:
                if keyword.arg == "lr":
                    yield keyword.lineno, keyword.col_offset, keyword.col_offset + 2, b"learning_rate"


def _is_own(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts[:-1]
    if any(part.startswith(".") or part in _SKIPPED for part in parts):
        return False
    return not any((folder.joinpath(*parts[:end]) / "pyvenv.cfg").exists() for end in range(1, len(parts) + 1))
