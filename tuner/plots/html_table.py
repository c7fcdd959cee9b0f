"""Tables of a page."""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tuner.text import cell_text


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], best: Collection[int] = (), sortable: bool = True
) -> str:
    """Return rows as an HTML table.

    Args:
        rows: A mapping of columns each.
        columns: Which columns, in order.
        best: Indices of rows that are marked.
        sortable: Whether a click on a column's head sorts.
    """
    kind = ' class="sortable"' if sortable else ""
    heads = "".join(f"<th{kind}>{html.escape(column)}</th>" for column in columns)
    lines = []
    for index, row in enumerate(rows):
        mark = ' class="best"' if index in best else ""
        lines.append(f"<tr{mark}>{''.join(cell(row.get(column)) for column in columns)}</tr>")
    body = "\n".join(lines)
    box = '<input class="filter" type="search" placeholder="filter: words that a row has">'
    whole = f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    return f'<div class="scroll">{box if sortable and len(rows) > 1 else ""}{whole}</div>'


def cell(value: Any, differs: bool = False) -> str:
    """Return a value as a cell; numbers keep all their digits for sorting and hovering."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    classes = ["number"] * number + ["differs"] * differs
    if value in ("COMPLETE", "PRUNED", "FAIL"):
        classes.append(value)
    names = f' class="{" ".join(classes)}"' if classes else ""
    data = f' data-value="{value!r}" title="{value!r}"' if isinstance(value, float) and math.isfinite(value) else ""
    return f"<td{names}{data}>{html.escape(cell_text(value))}</td>"


def definitions(entries: Mapping[str, Any]) -> str:
    """Return names and what stands for them."""
    pairs = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(cell_text(value))}</dd>" for name, value in entries.items()
    )
    return f"<dl>{pairs}</dl>"
