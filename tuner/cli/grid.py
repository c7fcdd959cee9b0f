"""Columns of text that fit a terminal: never a number broken; what does not fit beside goes below."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PIPE_WIDTH = 200  # of what is no terminal
_LEAST_TEXT = 24  # of a column of text that goes on in lines below, if there is no more room
_GAP = 2  # blanks between columns; one if that lets all of them stand side by side


@dataclass(frozen=True)
class Column:
    """A heading and its cells, a line each; the last one may be text that goes on in lines below."""

    heading: str
    cells: Sequence[str]
    right: bool = False
    wraps: bool = False

    @property
    def body(self) -> int:
        """Width of the widest cell; of text that goes on below what it takes at least."""
        wide = max((len(cell) for cell in self.cells), default=0)
        return min(wide, _LEAST_TEXT) if self.wraps else wide


def terminal_width() -> int:
    """Return how many characters fit into a line of standard output."""
    return shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if sys.stdout.isatty() else _PIPE_WIDTH


def grid(columns: Sequence[Column], width: int) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a table, each with whether it is of the heading.

    If the table is too wide, headings that are wider than their cells break at their underscores, then columns stand
    closer. Those that still do not fit are a second table below, which begins with the first column again.

    Args:
        columns: The first one names the rows.
        width: Of the terminal, in characters.
    """
    headings = [[column.heading] for column in columns]
    gap = _GAP
    if _total(columns, headings, gap) > width:
        headings = [_broken(column.heading, column.body) for column in columns]
        gap = 1 if _total(columns, headings, 1) <= width < _total(columns, headings, _GAP) else _GAP
    rest = list(range(1, len(columns)))
    while True:
        block = [0]
        while rest and (len(block) == 1 or _total(*_picked(columns, headings, [*block, rest[0]]), gap) <= width):
            block.append(rest.pop(0))
        yield from _lines(*_picked(columns, headings, block), gap, width)
        if not rest:
            return
        yield "", False


Headings = Sequence[Sequence[str]]


def _picked(columns: Sequence[Column], headings: Headings, block: Sequence[int]) -> tuple[Sequence[Column], Headings]:
    return [columns[i] for i in block], [headings[i] for i in block]


def _total(columns: Sequence[Column], headings: Headings, gap: int) -> int:
    return sum(map(_width, columns, headings)) + gap * (len(columns) - 1)


def _width(column: Column, heading: Sequence[str]) -> int:
    return max(column.body, *map(len, heading))


def _broken(heading: str, width: int) -> list[str]:
    """Break a heading behind its separators into lines no wider than ``width``, as far as that can be."""
    lines = [""]
    for part in re.findall(r"[^_./ -]+[_./ -]?|[_./ -]", heading):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return lines


def _lines(columns: Sequence[Column], headings: Headings, gap: int, width: int) -> Iterator[tuple[str, bool]]:
    widths = list(map(_width, columns, headings))
    if columns[-1].wraps:
        widths[-1] = max(widths[-1], width - sum(widths[:-1]) - gap * (len(widths) - 1))
    high = max(map(len, headings))
    for line in range(high):
        cells = [heading[line - high + len(heading)] if line >= high - len(heading) else "" for heading in headings]
        yield _joined(columns, cells, widths, gap), True
    for row in zip(*(column.cells for column in columns), strict=True):
        *before, last = row
        parts = textwrap.wrap(last, widths[-1]) if columns[-1].wraps else [last]
        for index, part in enumerate(parts or [""]):
            yield _joined(columns, [*(before if not index else [""] * len(before)), part], widths, gap), False


def _joined(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], gap: int) -> str:
    padded = (
        cell.rjust(width) if column.right else cell.ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return (" " * gap).join(padded).rstrip()
