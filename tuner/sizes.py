"""Sizes of files and memory as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")


def parse_size(value: object) -> int:
    """Return a size in bytes from ``200MB``, ``5GB``, ``1.5GiB`` or a number of bytes.

    Raises:
        ValueError: It is none, or not above zero.

    Example:
        >>> parse_size("1.5 kB")
        1500
    """
    found = _SIZE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(f"expected a size like 200MB, 5GB or a number of bytes, found {value!r}")
    size = round(float(found[1]) * unit)
    if size <= 0:
        raise ValueError(f"expected a size above zero, found {value!r}")
    return size


def show_size(size: float) -> str:
    """Return a number of bytes in a unit that people read.

    Example:
        >>> show_size(1_250_000)
        '1.2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
