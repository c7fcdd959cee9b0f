"""Values as people read them: in tables of a terminal, of a page, in a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def shown(value: Any) -> str:
    """Return a value as a cell of a table has it.

    A number that is no whole one has six digits; what has no number or text of its own is written as in a search
    space file (``true``, ``[1, 2]``); None is an empty cell, but ``null`` where it is the value of a parameter.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={'null' if item is None else shown(item)}" for name, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, default=str)
