"""How much of a record log has arrived at the tracking store: an offset in a file of its own."""

from __future__ import annotations

from pathlib import Path


def read_offset(file: Path) -> int:
    """Return how many bytes of the log have arrived."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def write_offset(file: Path, offset: int) -> None:
    """Remember how many bytes have arrived."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(f"{offset}\n", encoding="utf-8")
    beside.replace(file)
