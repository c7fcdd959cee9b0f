"""Charts as Plotly figures: plain values that a page holds as JSON; Plotly itself is not imported for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuner.plots.chart import Axis, Chart, Panel, Parallel, Series, is_drawable, number_ticks, quantile

_COLUMNS = 3
_MARKERS = {"o": "circle", "x": "x-thin", "*": "star"}
_GRID = "#E5E5E5"


def figure(chart: Chart | Parallel) -> dict[str, Any]:
    """Return a chart as ``data`` and ``layout``."""
    if isinstance(chart, Parallel):
        return _parallel(chart)
    columns = min(_COLUMNS, len(chart.panels))
    rows = -(-len(chart.panels) // columns)
    layout = _layout(chart.title, chart.note, 460 if rows == 1 else 300 * rows + 80)
    if all(panel.bars for panel in chart.panels):
        layout["height"] = 170 + 32 * max(len(series.x) for panel in chart.panels for series in panel.series)
    layout["showlegend"] = any(series.name for panel in chart.panels for series in panel.series) and not chart.shades
    data: list[dict[str, Any]] = []
    shades = [shade for panel in chart.panels for series in panel.series for shade in series.shades]
    for index, panel in enumerate(chart.panels):
        number = "" if index == 0 else str(index + 1)
        across, down = _domain(index % columns, columns, 0.08), _domain(index // columns, rows, 0.2)
        layout[f"xaxis{number}"] = {**_axis(panel, panel.x), "domain": across, "anchor": f"y{number}"}
        down = [1 - down[1], 1 - down[0]]
        layout[f"yaxis{number}"] = {**_axis(panel, panel.y), "domain": down, "anchor": f"x{number}"}
        if index and panel.y == chart.panels[0].y and not panel.bars:
            layout[f"yaxis{number}"]["matches"] = "y"
        for series in panel.series:
            trace = _bars(series) if panel.bars else _trace(series, shades, chart.shades, first=not data)
            data.append({**trace, "xaxis": f"x{number}", "yaxis": f"y{number}"})
            data[-1].setdefault("showlegend", bool(series.name) and index == 0)
    return {"data": data, "layout": layout}


def _plain(text: str) -> str:
    """Return text as Plotly shows it, which takes some HTML in it for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _lines(text: str) -> str:
    """Return the lines of a hover box, with a ``<br>`` between them, as Plotly shows them."""
    return "<br>".join(map(_plain, text.split("<br>")))


def _layout(title: str, note: str, height: int) -> dict[str, Any]:
    below = {"text": _plain(note), "font": {"size": 11, "color": "#666"}}
    return {
        "title": {"text": _plain(title), "y": 0.97, "yanchor": "top", **({"subtitle": below} if note else {})},
        "height": height,
        "margin": {"l": 70, "r": 30, "t": 80, "b": 60},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    }


def _domain(place: int, count: int, gap: float) -> list[float]:
    gap = gap if count > 1 else 0.0
    size = (1 - gap * (count - 1)) / count
    return [round(place * (size + gap), 4), round(place * (size + gap) + size, 4)]


def _axis(panel: Panel, axis: Axis) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": {"text": _plain(axis.title)},
        "gridcolor": _GRID,
        "zeroline": False,
        "automargin": True,
    }
    if axis.log:
        found |= {"type": "log", "exponentformat": "power"}
        values = [v for s in panel.series for v in (s.x if axis is panel.x else s.y) if v is not None and v > 0]
        if values and max(values) / min(values) < 300:
            found |= {"tickvals": number_ticks(min(values) / 1.3, max(values) * 1.3, log=True), "tickformat": ".4~g"}
        else:
            found["dtick"] = 1
    if axis.ticks:
        found |= {
            "tickvals": [place for place, _ in axis.ticks],
            "ticktext": [_plain(label) for _, label in axis.ticks],
        }
        if not panel.bars:
            found["range"] = [axis.ticks[0][0] - 0.5, axis.ticks[-1][0] + 0.5]
    if axis.view is not None:
        found["range"] = list(axis.view)  # a double click shows all
    if axis.whole:
        found["tickformat"] = "d"
    if panel.bars and axis is panel.x:
        found |= {"tickformat": ".0%", "rangemode": "tozero"}
    return found


def _trace(series: Series, all_shades: Sequence[float], shades: str, first: bool) -> dict[str, Any]:
    marker: dict[str, Any] = {
        "symbol": _MARKERS.get(series.marker, "circle"),
        "size": series.size + 2,
        "color": series.color,
        "line": {"width": 2 if series.marker == "x" else 0.5, "color": series.color},
    }
    if series.shades:
        marker |= {
            "color": list(series.shades),
            "colorscale": "Viridis",
            "cmin": min(all_shades),
            "cmax": max(all_shades),
            "showscale": first,
            "colorbar": {"title": {"text": _plain(shades)}},
            "line": {"width": 2, "color": list(series.shades), "colorscale": "Viridis"}
            if series.marker == "x"
            else {"width": 0.5, "color": "#555"},
        }
        if series.marker == "x":
            marker["line"] |= {"cmin": min(all_shades), "cmax": max(all_shades)}
    mode = "+".join(part for part, there in (("lines", series.line), ("markers", series.marker)) if there)
    return {
        "type": "scattergl" if len(series.x) > 5000 else "scatter",
        "name": _plain(series.name),
        "mode": mode,
        "x": list(series.x),
        "y": [y if is_drawable(y) else None for y in series.y],
        "text": [_lines(hover) for hover in series.hover],
        "hoverinfo": "text" if series.hover else "x+y+name",
        "opacity": series.alpha,
        "marker": marker,
        "line": {"color": series.color, "width": series.width, "shape": "hv" if series.line == "step" else "linear"},
        "connectgaps": False,
    }


def _bars(series: Series) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": list(series.x),
        "y": list(series.y),
        "text": [f"{x or 0:.0%}" for x in series.x],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertext": [_lines(hover) for hover in series.hover],
        "hoverinfo": "text",
        "marker": {"color": series.color},
        "showlegend": False,
    }


def _parallel(chart: Parallel) -> dict[str, Any]:
    low, high = min(chart.shades), quantile(chart.shades, 0.9)
    layout = _layout(chart.title, chart.note, 480)
    layout["margin"] = {"l": 80, "r": 60, "t": 130, "b": 40}
    trace = {
        "type": "parcoords",
        "line": {
            "color": list(chart.shades),
            "colorscale": "Viridis",
            "cmin": low,
            "cmax": high if high > low else low + 1.0,
        },
        "dimensions": [
            {
                "label": _plain(dimension.title),
                "values": list(dimension.positions),
                "tickvals": [position for position, _ in dimension.ticks],
                "ticktext": [label for _, label in dimension.ticks],
                "range": [dimension.low, dimension.high],
            }
            for dimension in chart.dimensions
        ],
        "labelangle": 0,
        "labelside": "top",
    }
    return {"data": [trace], "layout": layout}
