"""Charts as pictures, by Matplotlib: without a display, and without its mutable global state."""

from __future__ import annotations

import io
import weakref
from collections.abc import Sequence
from typing import Any

from tuner.plots.chart import Axis, Chart, Panel, Parallel, Series, is_drawable, number_ticks, quantile

DPI = 110
_COLUMNS = 3
_GRID = "#DDDDDD"
_MAP = "viridis"

_drawn: dict[int, bytes] = {}  # by the identity of charts that are still there


def png(chart: Chart | Parallel) -> bytes:
    """Return a chart as the bytes of a PNG file; drawn once, though it is a file, in a page and in the report."""
    if id(chart) not in _drawn:
        _drawn[id(chart)] = _draw(chart)
        weakref.finalize(chart, _drawn.pop, id(chart))
    return _drawn[id(chart)]


def _draw(chart: Chart | Parallel) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if isinstance(chart, Parallel):
        figure = Figure(figsize=(max(8.0, 1.5 * len(chart.dimensions)), 5.0), layout="constrained")
        _draw_parallel(figure, chart)
    else:
        columns = min(_COLUMNS, len(chart.panels))
        rows = -(-len(chart.panels) // columns)
        height = _height(chart.panels) if rows == 1 else 3.4 * rows
        figure = Figure(figsize=(8.0 if columns == 1 else 4.2 * columns, height), layout="constrained")
        _draw_chart(figure, chart, rows, columns)
    figure.suptitle(_plain(chart.title), fontsize=13, fontweight="bold")
    if chart.note:
        figure.supxlabel(_plain(chart.note), fontsize=8, color="#666666")
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", dpi=DPI)
    return stream.getvalue()


def _plain(text: str) -> str:
    """Return text as Matplotlib draws it, which takes what stands between two dollar signs for a formula."""
    return text.replace("$", r"\$")


def _height(panels: Sequence[Panel]) -> float:
    bars = max((len(series.x) for panel in panels if panel.bars for series in panel.series), default=0)
    return max(2.2, 1.4 + 0.38 * bars) if bars else 4.8


def _draw_chart(figure: Any, chart: Chart, rows: int, columns: int) -> None:
    shades = [shade for panel in chart.panels for series in panel.series for shade in series.shades]
    grid = figure.subplots(rows, columns, squeeze=False)
    every = [axes for row in grid for axes in row]
    drawn = None
    for axes, panel in zip(every, chart.panels, strict=False):
        for series in panel.series:
            if panel.bars:
                _draw_bars(axes, series)
            else:
                drawn = _draw_series(axes, series, shades) or drawn
        _dress(axes, panel)
    for axes in every[len(chart.panels) :]:
        axes.set_axis_off()
    if len({panel.y for panel in chart.panels}) == 1 and not chart.panels[0].bars:
        for axes in every[1 : len(chart.panels)]:
            axes.sharey(every[0])
        if chart.panels[0].y.view is None:
            every[0].autoscale(axis="y")
    if shades and drawn is not None:
        bar = figure.colorbar(drawn, ax=every, label=_plain(chart.shades), fraction=0.03, pad=0.02)
        bar.locator = _whole_numbers()
        bar.update_ticks()
    _add_legend(figure, every[0])


def _draw_series(axes: Any, series: Series, all_shades: Sequence[float]) -> Any:
    xs = [x if is_drawable(x) else float("nan") for x in series.x]
    ys = [y if is_drawable(y) else float("nan") for y in series.y]
    label = _plain(series.name) or None
    if series.shades:
        limits = {"vmin": min(all_shades), "vmax": max(all_shades)}
        edge = {} if series.marker == "x" else {"edgecolors": "#555555"}
        return axes.scatter(
            xs,
            ys,
            c=series.shades,
            cmap=_MAP,
            s=series.size**2,
            marker=series.marker,
            linewidths=1.2 if series.marker == "x" else 0.3,
            zorder=3,
            **edge,
            **limits,
        )
    style = {"color": series.color, "alpha": series.alpha, "label": label, "markersize": series.size}
    drawstyle = "steps-post" if series.line == "step" else "default"
    line = "-" if series.line else ""
    axes.plot(
        xs,
        ys,
        linestyle=line,
        linewidth=series.width,
        drawstyle=drawstyle,
        marker=series.marker or None,
        markeredgewidth=1.6 if series.marker == "x" else 0.3,
        markeredgecolor=series.color if series.marker == "x" else "white",
        zorder=4 if series.width >= 2 else 3,
        **style,
    )
    return None


def _draw_bars(axes: Any, series: Series) -> None:
    bars = axes.barh(series.y, series.x, color=series.color, height=0.62, zorder=3)
    axes.bar_label(bars, [f"{x or 0:.0%}" if (x or 0) >= 0.01 else "<1%" for x in series.x], padding=4, fontsize=9)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlim(0, min(1.12, 1.18 * max([x or 0.0 for x in series.x] or [1.0])))


def _dress(axes: Any, panel: Panel) -> None:
    if panel.title:
        axes.set_title(_plain(panel.title), fontsize=10)
    axes.grid(True, color=_GRID, linewidth=0.7, axis="x" if panel.bars else "both", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    for axis, own, set_log in ((panel.x, axes.xaxis, axes.set_xscale), (panel.y, axes.yaxis, axes.set_yscale)):
        if axis.log:
            set_log("log")
            _round_log_ticks(axes, own, axis, panel)
        if axis.ticks:
            labels = [_plain(label) for _, label in axis.ticks]
            crowded = own is axes.xaxis and sum(map(len, labels)) > 30
            turn = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
            own.set_ticks([place for place, _ in axis.ticks], labels, fontsize=8 if crowded else 9, **turn)
            if own is axes.xaxis and not panel.bars:
                axes.set_xlim(axis.ticks[0][0] - 0.5, axis.ticks[-1][0] + 0.5)
        elif axis.whole:
            own.set_major_locator(_whole_numbers())
        if axis.view is not None:
            (axes.set_xlim if own is axes.xaxis else axes.set_ylim)(axis.view)
        own.set_label_text(_plain(axis.title))


def _round_log_ticks(axes: Any, own: Any, axis: Axis, panel: Panel) -> None:
    """Put ticks if a span of less than two decades would have one or none."""
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    low, high = axes.get_xlim() if own is axes.xaxis else axes.get_ylim()
    values = [v for s in panel.series for v in (s.x if axis is panel.x else s.y) if v is not None and v > 0]
    low, high = (min(values), max(values)) if values else (low, high)
    if high / low < 300:
        own.set_major_locator(FixedLocator(number_ticks(low / 1.3, high * 1.3, log=True)))
        own.set_major_formatter(StrMethodFormatter("{x:.4g}"))
        own.set_minor_formatter(NullFormatter())


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True, nbins=8)


def _add_legend(figure: Any, axes: Any) -> None:
    """Put the legend below the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(5, len(labels)), frameon=False, fontsize=9)


def _draw_parallel(figure: Any, chart: Parallel) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    axes = figure.subplots()
    low, high = min(chart.shades), quantile(chart.shades, 0.9)
    norm = Normalize(low, high if high > low else low + 1.0, clip=True)
    shares = [[(p - d.low) / (d.high - d.low) for p in d.positions] for d in chart.dimensions]
    lines = [list(enumerate(line)) for line in zip(*shares, strict=True)]
    width = 2.0 if len(lines) <= 50 else 1.0
    axes.add_collection(LineCollection(lines, array=list(chart.shades), cmap=_MAP, norm=norm, linewidths=width))
    for place, dimension in enumerate(chart.dimensions):
        axes.axvline(place, color="#444444", linewidth=1.0)
        for position, label in dimension.ticks:
            share = (position - dimension.low) / (dimension.high - dimension.low)
            box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8}
            axes.text(place + 0.03, share, _plain(label), fontsize=8, va="center", bbox=box, zorder=5)
            axes.plot([place - 0.015, place + 0.015], [share, share], color="#444444", linewidth=1.0)
    axes.set_xlim(-0.1, len(chart.dimensions) - 0.55)
    axes.set_ylim(-0.05, 1.05)
    axes.set_yticks([])
    axes.set_xticks(range(len(chart.dimensions)), [_plain(d.title) for d in chart.dimensions], fontsize=9)
    axes.tick_params(axis="x", length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
