"""Durations as people write them."""

from __future__ import annotations

import math
import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def parse_duration(value: object) -> float:
    """Return a duration in seconds from ``90s``, ``15m``, ``2h``, ``1h30m`` or a number of seconds.

    Raises:
        ValueError: It is none, or not above zero.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and value and _PART.sub("", value.strip()) == "":
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    elif isinstance(value, str) and value.strip().isdecimal():
        seconds = float(value)
    else:
        raise ValueError(f"expected a duration like 90s, 15m or 2h, found {value!r}")
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"expected a duration above zero, found {value!r}")
    return seconds
