"""Anytime regret as a picture: ``python -m benchmarks.search.picture PICTURE.svg RUNS.json...``.

The runs are those of ``--json`` of ``benchmarks.search.regret`` and of ``benchmarks.search.peers``.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.search.compare import merged
from benchmarks.search.judging import Run

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 50, 16, 150, 44
COLORS = (
    *("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b"),
    *("#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#000000", "#aec7e8", "#98df8a", "#c5b0d5"),
    *("#393b79", "#ad494a"),
)


def picture(found: Mapping[str, Sequence[Run]]) -> str:
    """Return the mean regret of each contender against the share of the budget, as SVG."""
    means = {
        name: [statistics.fmean(at) for at in zip(*(run.curve for run in runs), strict=True)]
        for name, runs in found.items()
    }
    low, high = (math.log(edge(value for mean in means.values() for value in mean)) for edge in (min, max))

    def x(share: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * share

    def y(regret: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log(regret)) / ((high - low) or 1.0)

    parts = []
    for regret in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
        if low <= math.log(regret) <= high:
            line = f'<path d="M{LEFT} {y(regret):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            parts.append(line + _text(LEFT - 6, y(regret) + 4, f"{regret:g}", "end"))
    parts += [_text(x(share), HEIGHT - BOTTOM + 18, f"{share:.0%}", "middle") for share in (0.1, 0.25, 0.5, 0.75, 1.0)]
    parts.append(_text(x(0.5), HEIGHT - 6, "share of the budget of 20 full trainings", "middle"))
    for place, (pair, mean) in enumerate(sorted(means.items(), key=lambda one: one[1][-1])):
        color = COLORS[place % len(COLORS)]
        points = " ".join(
            f"{x((index + 1) / len(mean)):.1f},{y(regret):.1f}"
            for index, regret in enumerate(mean)
            if (index + 1) / len(mean) >= 0.05
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(_text(WIDTH - RIGHT + 8, TOP + 14 + 18 * (len(means) - 1 - place), pair, "start", color))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    return f'{head} font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'


def _text(x: float, y: float, text: str, anchor: str, color: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{text}</text>'


def main(arguments: Sequence[str]) -> int:
    """Draw the runs of some files into the first that is named."""
    out, *files = arguments
    Path(out).write_text(picture(merged([Path(file) for file in files])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
