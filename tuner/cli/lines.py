"""Lines for people: of a terminal's width, and a command that they name stays whole, so that it can be copied."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator

import typer

# A command with the signs around it, which ends where a sentence goes on, or a word.
_PIECE = re.compile(r"(?<!\S)[(`]?(?:tuner [a-z]|mlflow [a-z]|pip install|mkdir |mv |kill )[^,;()`]*[,;)`]*|\S+")


def say(line: str, err: bool = False, hang: int = 2) -> None:
    """Write a line to standard output, or to standard error; if that is a terminal, it is made to fit."""
    stream = sys.stderr if err else sys.stdout
    typer.echo(fitted(line, shutil.get_terminal_size().columns, hang) if stream.isatty() else line, err=err)


def fitted(line: str, width: int, hang: int = 2) -> str:
    """Return a line as lines of at most ``width`` characters, broken at blanks and never in a command.

    What is longer than that by itself, such as a long command, has a line of its own and is left to the terminal: what
    a terminal breaks is whole again when it is copied. Lines below begin ``hang`` characters in at least.

    Example:
        >>> print(fitted("no trial completed; see why with: tuner show mine, tuner logs mine:1", 50))
        no trial completed; see why with: tuner show mine,
          tuner logs mine:1
    """
    if len(line) <= width:
        return line
    indent = len(line) - len(line.lstrip())
    return "\n".join(_filled(line, " " * max(hang, indent + 2 if indent else 0), width))


def _filled(line: str, below: str, width: int) -> Iterator[str]:
    filled, end = "", 0
    for found in _PIECE.finditer(line):
        piece = found[0].rstrip()
        more = f"{filled}{line[end : found.start()]}{piece}"
        if filled and len(more) > width:
            yield filled
            more = f"{below}{piece}"
        filled, end = more, found.start() + len(piece)
    yield filled
