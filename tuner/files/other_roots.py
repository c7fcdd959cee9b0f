"""Folders near a root that have sweeps: a command may have been typed beside, above or below the one that is meant."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from tuner.files.paths import Root

_MOST_BELOW = 200  # folders that are looked into


def other_roots(root: Root) -> list[Root]:
    """Return the nearest folder above a root that has sweeps, then those right below it."""
    above = next((folder for folder in root.path.parents if _has_sweeps(folder)), None)
    return [Root(folder) for folder in ([above] if above else []) + [f for f in _below(root.path) if _has_sweeps(f)]]


def root_option(root: Root) -> str:
    """Return how a command names a root from here: ``--root ..``."""
    return f"--root {shlex.quote(os.path.relpath(root.path))}"


def _below(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))[:_MOST_BELOW]


def _has_sweeps(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(True for _ in Root(folder).sweeps())
    return False
