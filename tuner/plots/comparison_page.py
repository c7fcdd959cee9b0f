"""The page of a comparison: what differs as a table, the curves over each other."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.plots.chart import PALETTE, Axis, Chart, Panel, Series, wants_log
from tuner.plots.html_page import chart_part, page
from tuner.plots.html_table import cell

_MARKERS = ("o", "x", "*")


def curves_chart(curves: Mapping[str, Mapping[int, float]], metric: str, whole: bool) -> Chart | None:
    """Return the curves over each other; colours repeat after eight, then with another marker.

    Args:
        curves: Of each subject: global step to value, or trial to the best so far.
        metric: What they are of.
        whole: Whether they are those of sweeps.
    """
    series = []
    for index, (label, curve) in enumerate(curves.items()):
        xs, ys = tuple(map(float, curve)), tuple(curve.values())
        words = tuple(f"{label}<br>{x}: {y:.6g}" for x, y in curve.items())
        marker = _MARKERS[index // len(PALETTE) % len(_MARKERS)]
        color = PALETTE[index % len(PALETTE)]
        series.append(Series(label, xs, ys, words, color, marker, "step" if whole else "-", 1.8, 1.0, 4.0))
    if not series:
        return None
    title = f"Best {metric} so far" if whole else f"Learning curves: {metric}"
    log = wants_log(value for curve in curves.values() for value in curve.values())
    x = Axis("trial", whole=True) if whole else Axis("global step")
    return Chart("curves", title, (Panel(tuple(series), x, Axis(metric, log)),))


def comparison_page(
    rows: Sequence[Mapping[str, Any]],
    curves: Mapping[str, Mapping[int, float]],
    metric: str,
    whole: bool,
    notes: Sequence[str] = (),
) -> str:
    """Return a page of rows with a column for each subject, the first column saying what a row is.

    Args:
        rows: What differs.
        curves: Of each subject; see ``curves_chart``, as for ``metric`` and ``whole``.
        metric: What the curves are of.
        whole: Whether they are those of sweeps.
        notes: What is to be said of the rows.
    """
    head, *labels = list(rows[0])
    lines = []
    for row in rows:
        differ = len({json.dumps(row[label]) for label in labels}) > 1
        cells = "".join(cell(row[label], differs=differ) for label in labels)
        lines.append(f"<tr><th>{html.escape(str(row[head]))}</th>{cells}</tr>")
    heads = "".join(f"<th>{html.escape(label)}</th>" for label in ("", *labels))
    body = ["<h1>Comparison</h1>", f'<p class="quiet">{html.escape(", ".join(labels))}; what differs is shaded.</p>']
    body += [f"<p>{html.escape(note)}</p>" for note in notes]
    chart = curves_chart(curves, metric, whole)
    if chart is not None:
        body.append(chart_part(chart))
    body.append(
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )
    return page(f"Comparison of {', '.join(labels)}", body, charts=chart is not None)
