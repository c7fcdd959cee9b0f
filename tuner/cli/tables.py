"""Rows for people and for programs: a table, JSON or CSV on standard output."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any

import typer

from tuner.text import cell_text, csv_text


class Format(str, Enum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FormatOption = Annotated[Format, typer.Option("--format", metavar="table|json|csv", help="How to write the rows.")]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose mappings became columns ``KEY.NAME``; None in one is ``null``: empty is what is not there."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found.update({f"{key}.{name}": "null" if item is None else item for name, item in value.items()})
        else:
            found[key] = value
    return found


def write_json(value: Any) -> None:
    """Write JSON to standard output; NaN and infinities as JSON has none: as strings."""
    print(json.dumps(_plain(value), indent=1))  # noqa: T201


def write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV to standard output; numbers keep every bit."""
    flat_rows = [{csv_text(key): csv_text(value) for key, value in flat(row).items()} for row in rows]
    columns = list(dict.fromkeys(column for row in flat_rows for column in row))
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat_rows)


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write the named columns of rows as a table for people, as wide as the terminal."""
    from tuner.cli.grid import Column, grid, terminal_width

    found = []
    for name in columns:
        numbers = any(isinstance(row.get(name), (int, float)) for row in rows)
        wraps = name == columns[-1] and not numbers
        found.append(Column(name, [cell_text(row.get(name)) for row in rows], numbers, wraps))
    for line, is_heading in grid(found, terminal_width()):
        typer.echo(typer.style(line, bold=True) if is_heading else line)


def write(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: Format) -> None:
    """Write rows in the form that was asked for."""
    if form is Format.JSON:
        write_json(list(rows))
    elif form is Format.CSV:
        write_csv(rows)
    else:
        write_table(rows, columns)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
