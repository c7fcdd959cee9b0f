"""Files that are whole or not there: written beside and renamed; lines appended at once."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path


def write_whole(file: Path, text: str, mode: int = 0o666) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a part.

    Args:
        file: Where to.
        text: All of it.
        mode: Who may read and write it, less what the umask takes away.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)  # one that a killed process of that number left has a mode already
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def append_lines(stream: FileIO, data: bytes) -> None:
    """Append lines, each whole or not at all: a disk that is nearly full takes a part of a write and says nothing.

    Args:
        stream: Unbuffered and open to append; nobody else appends meanwhile.
        data: Lines with their ends.

    Raises:
        OSError: The disk does not take all of it. Lines that it took stand, as a reader may have them; the part
            of one is cut off.
    """
    begin = os.fstat(stream.fileno()).st_size
    written = 0
    try:
        while written < len(data):
            written += stream.write(data[written:])
    except OSError:
        os.ftruncate(stream.fileno(), begin + data.rfind(b"\n", 0, written) + 1)
        raise
