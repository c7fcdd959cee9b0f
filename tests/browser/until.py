"""Ask a page until it shows what is expected: a page is drawn in parts, each when its answer has come."""

import time
from collections.abc import Callable
from typing import TypeVar

Shown = TypeVar("Shown")

TIMEOUT_S = 120


def until(read: Callable[[], Shown], holds: Callable[[Shown], bool]) -> Shown:
    """Read until what is shown holds; return it, or fail with what was shown last."""
    end = time.monotonic() + TIMEOUT_S
    while not holds(shown := read()):
        assert time.monotonic() < end, f"shown until the end: {shown}"
        time.sleep(0.1)
    return shown
