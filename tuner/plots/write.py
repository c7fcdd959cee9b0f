"""Charts as files, and as Plotly's own figures."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem, TunerError
from tuner.plots.chart import Chart, Parallel
from tuner.plots.html_page import chart_page, plotly
from tuner.plots.matplotlib_png import png
from tuner.plots.plotly_figure import figure
from tuner.text import suggestion


def to_plotly(charts: Sequence[Chart | Parallel], name: str) -> Any:
    """Return one of the charts as a ``plotly.graph_objects.Figure``.

    Raises:
        InvalidInput: There is none of that name.
    """
    import plotly.graph_objects

    for chart in charts:
        if chart.name == name:
            return plotly.graph_objects.Figure(figure(chart))
    there = ", ".join(chart.name for chart in charts) or "nothing yet"
    hint = suggestion(name, [chart.name for chart in charts])
    raise InvalidInput("", [Problem("", f"there is no plot {name!r} of this sweep; there is: {there}", hint)])


def import_drawing() -> None:
    """Import what drawing needs, and read what all pages have, for a process that has nothing to draw yet."""
    with contextlib.suppress(ImportError, TunerError):
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401
        import pandas  # noqa: F401

        plotly()


def write_charts(charts: Sequence[Chart | Parallel], sweep: str, folder: Path, pages: bool = True) -> list[Path]:
    """Write each chart into ``folder`` as a picture, and as a page if ``pages`` says so."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for chart in charts:
        file = folder / f"{chart.name}.png"
        file.write_bytes(png(chart))
        written.append(file)
        if pages:
            file = folder / f"{chart.name}.html"
            file.write_text(chart_page(chart, sweep), encoding="utf-8")
            written.append(file)
    return written
