"""What is beside a path that is not there, and may be meant."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.text import suggestion


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder in order; none if it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted
    except (OSError, ValueError):
        return []


def near_path(path: Path) -> str:
    """Return a hint at the file or folder beside a path that it may mean, or nothing."""
    return suggestion(path.name, names_in(path.parent))
