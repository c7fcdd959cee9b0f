"""Lines for people: of a terminal's width, and a command that they name stays whole, so that it can be copied."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator

import typer

# A command with the signs around it, which ends where a sentence goes on, or a word.
_PIECE = re.compile(r"(?<!\S)[(`]?(?:tuner [a-z]|mlflow [a-z]|pip install|mkdir |mv |kill )[^,;()`]*[,;)`]*|\S+")


def say(line: str, err: bool = False) -> None:
    """Write a line to standard output, or to standard error; if that is a terminal, it is made to fit."""
    stream = sys.stderr if err else sys.stdout
    typer.echo(fitted(line, shutil.get_terminal_size().columns) if stream.isatty() else line, err=err)


def fitted(line: str, width: int) -> str:
    """Return a line as lines of at most ``width`` characters, broken at blanks and never in a command.

    What is longer than that by itself, such as a long command, has a line of its own and is left to the terminal: what
    a terminal breaks is whole again when it is copied.

    Example:
        >>> print(fitted("no trial completed; see why with: tuner show mine, tuner logs mine:1", 50))
        no trial completed; see why with: tuner show mine,
          tuner logs mine:1
    """
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(_filled(line, indent, width))


def _filled(line: str, indent: str, width: int) -> Iterator[str]:
    filled = indent
    for piece in _pieces(line):
        if filled.strip() and len(filled) + 1 + len(piece) > width:
            yield filled
            filled = f"{indent}  {piece}"
        else:
            filled = f"{filled} {piece}" if filled.strip() else f"{filled}{piece}"
    yield filled


def _pieces(line: str) -> Iterator[str]:
    """Yield what is not broken: words, and commands with the sign that follows."""
    for found in _PIECE.finditer(line):
        yield found[0].rstrip()
