"""A curve in a line of text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 50.0  # largest to smallest value beyond which heights are of logarithms


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Return one bar for each value, of many for each stretch of them; what is no number is a blank."""
    if len(values) > width:
        ends = [round(index * len(values) / width) for index in range(width + 1)]
        values = [_middle(values[begin:end]) for begin, end in itertools.pairwise(ends)]
    numbers = [value for value in values if math.isfinite(value)]
    if not numbers:
        return " " * len(values)
    log = min(numbers) > 0 and max(numbers) / min(numbers) > _WIDE
    heights = [math.log(value) if log and math.isfinite(value) else value for value in values]
    low, high = min(filter(math.isfinite, heights)), max(filter(math.isfinite, heights))
    return "".join(_bar(height, low, high) if math.isfinite(height) else " " for height in heights)


def _middle(values: Sequence[float]) -> float:
    numbers = sorted(value for value in values if math.isfinite(value))
    return numbers[len(numbers) // 2] if numbers else math.nan


def _bar(height: float, low: float, high: float) -> str:
    share = (height - low) / (high - low) if high > low else 0.5
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
