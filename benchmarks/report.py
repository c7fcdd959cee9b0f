"""A result as tables for people and as JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.result import Figure, Result, Row, Spread


def show(name: str, result: Result, seconds: float) -> None:
    """Print a result: a table for each group of rows, the ratios, the notes, the machine."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    for group in dict.fromkeys(row.group for row in result.rows):
        _table(console, group or name, [row for row in result.rows if row.group == group])
    if result.ratios:
        console.print("ratios (above 1: we are ahead)", style="bold")
        width = max(map(len, result.ratios))
        for ratio, value in result.ratios.items():
            console.print(f"  {ratio:<{width}}  {number(value)}", markup=False)
        console.print()
    for note in result.notes:
        console.print(f"- {note}", markup=False, soft_wrap=True)
    facts = machine()
    console.print(
        f"{facts['cores']} cores, {facts['memory_gb']} GB, {facts['processor']}; "
        f"{', '.join(f'{package} {version}' for package, version in versions().items())}; took {seconds:.0f} s",
        markup=False,
        soft_wrap=True,
    )


def write(file: Path, name: str, result: Result, seconds: float, quick: bool) -> None:
    """Write a result as JSON: rows, ratios, notes, machine, versions."""
    data = {
        "benchmark": name,
        "quick": quick,
        "seconds": seconds,
        "rows": [_row(row) for row in result.rows],
        "ratios": dict(result.ratios),
        "notes": list(result.notes),
        "machine": machine(),
        "versions": versions(),
    }
    file.write_text(json.dumps(_plain(data), indent=1) + "\n", encoding="utf-8")


def number(value: float) -> str:
    """Return a number as people read it: three digits that mean something, no exponent where none is needed."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cell(figure: Figure | None) -> str:
    """Return a figure as a table shows it; a spread as its median with least and greatest."""
    if figure is None:
        return ""
    if isinstance(figure, str):
        return figure
    if isinstance(figure, Spread):
        if len(figure.samples) == 1:
            return number(figure.median)
        return f"{number(figure.median)} ({number(figure.low)} to {number(figure.high)})"
    return number(figure)


def _table(console: Any, title: str, rows: Sequence[Row]) -> None:
    from rich.table import Table
    from rich.text import Text

    columns = list(dict.fromkeys(column for row in rows for column in row.figures))
    table = Table(box=None, header_style="bold", pad_edge=False, title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        words = all(isinstance(row.figures.get(column), str) for row in rows)
        table.add_column(column, justify="left" if words else "right")
    for row in rows:
        table.add_row(Text(row.contender), *[Text(cell(row.figures.get(column))) for column in columns])
    console.print(table)
    console.print()


def _row(row: Row) -> dict[str, Any]:
    figures = {c: asdict(f) if isinstance(f, Spread) else f for c, f in row.figures.items()}
    return {"contender": row.contender, **({"group": row.group} if row.group else {}), **figures}


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: what is not finite as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
