"""What a chart shows, as frozen values, whoever draws it.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; what matters differs in
its marker too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from tuner.domain.objective import Goal

BLUE, ORANGE, GREEN, RED, GREY, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999", "#222222"
PALETTE = (BLUE, ORANGE, GREEN, "#CC79A7", RED, "#56B4E9", BLACK, "#B8A800")

SHADES = ("#08306B", "#4292C6", "#B5CFE8")
"""Of values, from the best to the worst."""

Numbers = tuple[float | None, ...]
"""Coordinates; None ends a line, so that one series may hold the curves of many trials."""


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        ticks: Position and label of each tick, if they are not plain numbers.
        whole: Whether only whole numbers have a meaning on it.
        view: The bounds that are shown at first, if values far away would leave no room for the others.
    """

    title: str = ""
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()
    whole: bool = False
    view: tuple[float, float] | None = None


@dataclass(frozen=True)
class Series:
    """Points, or a line through them.

    Attributes:
        name: In the legend; empty for none.
        hover: What is said of each point, if the drawing can.
        marker: ``o``, ``x``, ``*`` or empty for none.
        line: ``-`` through the points, ``step`` as a staircase, or empty for none.
        shades: A number for each point, shown as its colour; empty for ``color``.
    """

    name: str
    x: Numbers
    y: Numbers
    hover: tuple[str, ...] = ()
    color: str = BLUE
    marker: str = "o"
    line: str = ""
    width: float = 1.5
    alpha: float = 1.0
    size: float = 6.0
    shades: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Axes with series, or horizontal bars (each series one group; ``y`` are positions)."""

    series: tuple[Series, ...]
    x: Axis
    y: Axis
    title: str = ""
    bars: bool = False


@dataclass(frozen=True)
class Chart:
    """One or more panels side by side.

    Attributes:
        name: Of its file, without an ending.
        title: What it shows, in a few words.
        note: How it came about, in a line; empty if the title says it all.
        shades: What the colour of points means, if it means something.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    note: str = ""
    shades: str = ""


@dataclass(frozen=True)
class Dimension:
    """An axis of parallel coordinates: a position for each line, and ticks at positions."""

    title: str
    positions: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]
    low: float
    high: float


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates: one line a trial.

    Attributes:
        shades: The loss of each line's trial: lower is better, and drawn darker.
        values: The objective that ``shades`` stands for.
        hover: What is said of each line, if the drawing can.
    """

    name: str
    title: str
    dimensions: tuple[Dimension, ...]
    shades: tuple[float, ...]
    values: tuple[float, ...]
    hover: tuple[str, ...]
    note: str = ""


def is_drawable(value: float | None) -> TypeGuard[float]:
    """Whether a number can stand on an axis: from about 1e300 on the width of an axis is no number any more."""
    return value is not None and abs(value) < 1e100


def wants_log(values: Iterable[float | None]) -> bool:
    """Whether numbers spread so widely that only a logarithmic axis shows them all."""
    found = [value for value in values if is_drawable(value)]
    return bool(found) and min(found) > 0 and max(found) / min(found) > 30


def robust_view(values: Iterable[float | None], goal: Goal) -> tuple[float, float] | None:
    """Return bounds in which the good values are told apart, or None if they are in an axis of all.

    The better values are never left out; of the worse ones at most a tenth is, if they would take three
    quarters of the axis.
    """
    found = sorted((v for v in values if is_drawable(v)), key=goal.loss)
    if len(found) < 5:
        return None
    best, usual, worst = found[0], found[min(len(found) - 2, math.ceil(0.9 * len(found)) - 1)], found[-1]
    span = usual - best
    if span == 0 or abs(worst - best) < 4 * abs(span):
        return None
    low, high = sorted((best - 0.1 * span, usual + 0.25 * span))
    return low, high


def number_ticks(low: float, high: float, log: bool) -> list[float]:
    """Return three to seven round numbers between two bounds."""
    if not high > low:
        return [low]
    if log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        few = len(decades) <= 3
        found = [10.0**decade * factor for decade in decades for factor in ((1, 2, 5) if few else (1,))]
        found = [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        while len(found) > 7:
            found = found[::2]
        return found if len(found) > 1 else [low, high]
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def show_number(value: float) -> str:
    """Return a number as people read it on an axis or in a table."""
    return f"{value:.4g}"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
