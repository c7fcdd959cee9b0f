"""A method of a library's class replaced for a while, where the library has no public way to take part."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(kind: Any, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Put ``method(original, self, ...)`` in the place of a class's method."""
    original = getattr(kind, name)

    @functools.wraps(original)
    def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(original, self, *args, **kwargs)

    setattr(kind, name, replacement)
    try:
        yield
    finally:
        setattr(kind, name, original)
