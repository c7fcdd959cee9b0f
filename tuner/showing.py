"""Values as people read them: in tables of a terminal, of a page, in a line; what nobody is to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PASSWORD = re.compile(r"(://[^:/@\s]*:)(?:[^/\s]*|[^@\s]*)@")
_IN_QUERY = re.compile(r"([?&](?:password|passwd)=)[^&#\s]+", re.IGNORECASE)


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


def hidden(text: str) -> str:
    """Return a text as it may be shown and written down: the passwords of URLs in it are ``***``."""
    return _IN_QUERY.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))
