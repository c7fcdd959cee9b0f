"""Pages that stand alone: everything is in the file, and nothing is fetched.

Charts are in a page twice: as a picture, which a mail program or a browser without scripts shows, and as
an interactive figure that takes the picture's place. Plotly's library is in the page compressed; browsers
since 2023 unpack it by themselves.
"""

from __future__ import annotations

import base64
import gzip
import html
import importlib.util
import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tuner.errors import TunerError
from tuner.plots.chart import Chart, Parallel
from tuner.plots.matplotlib_png import png
from tuner.plots.plotly_figure import figure


def page(title: str, body: Sequence[str], charts: bool = True) -> str:
    """Return a whole page.

    Args:
        title: Of the page.
        body: Its parts, HTML already.
        charts: Whether there are charts among them.
    """
    scripts = [f"<script>\n{_beside('sort.js')}</script>"]
    if charts:
        scripts.append(f'<script id="plotly" type="application/octet-stream">{plotly()}</script>')
        scripts.append(f"<script>\n{_beside('draw.js')}</script>")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>\n{_beside('page.css')}</style></head><body>",
            *body,
            *scripts,
            "</body></html>\n",
        ]
    )


def chart_part(chart: Chart | Parallel) -> str:
    """Return a chart's part of a page: its picture, and its figure for scripts."""
    picture = base64.b64encode(png(chart)).decode()
    values = json.dumps(_finite(figure(chart)), separators=(",", ":"), allow_nan=False)
    values = values.replace("<", "\\u003c")  # no "</script>", and no "<!--<script>", which hides the end of it
    return (
        f'<div class="chart" id="{chart.name}"><img alt="{html.escape(chart.title)}" '
        f'src="data:image/png;base64,{picture}"><script type="application/json">{values}</script></div>'
    )


def chart_page(chart: Chart | Parallel, name: str) -> str:
    """Return a page with one chart of the sweep ``name``."""
    title = chart.title if chart.title.startswith(f"{name}: ") else f"{name}: {chart.title}"
    return page(title, [chart_part(chart)])


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def plotly() -> str:
    """Return Plotly's library for browsers, compressed, as text."""
    found = importlib.util.find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise TunerError("interactive pages need plotly, which is not installed", "pip install 'plotly>=6,<7'")
    file = Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(file.read_bytes(), 9, mtime=0)).decode()


def _finite(value: Any) -> Any:
    """Return values that JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
