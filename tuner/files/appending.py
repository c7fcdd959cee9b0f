"""Files that only grow: opened to append to, and a line closed that a killed writer left open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def open_log(file: Path, private: bool = False) -> BinaryIO:
    """Open a log to append to it; a ``private`` one, if it is new, its owner alone can read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600 if private else 0o666), "ab")


def end_torn_line(file: Path) -> None:
    """Close a line that a killed writer left open, so that the next one stands alone."""
    with file.open("rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return
        stream.seek(-1, os.SEEK_END)
        torn = stream.read(1) != b"\n"
    if torn and os.access(file, os.W_OK):
        with file.open("ab", buffering=0) as stream:
            stream.write(b"\n")
