"""Files of lines that are appended to, read as they are on disk: by newlines alone, each with its place.

Text has more ends of lines than that (a carriage return, U+2028), which in JSON are damage or a part of a string.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.errors import StoreError


@dataclass(frozen=True)
class Line:
    """A whole line of a file.

    Attributes:
        number: Counted from 1.
        offset: Where it begins, in bytes.
        data: Without its newline.
    """

    file: Path
    number: int
    offset: int
    data: bytes

    def mapping(self) -> dict[str, Any] | None:
        """Return the JSON object that it is; None if it is none."""
        try:
            found = json.loads(self.data)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def damage(self, expected: str, hint: str = "") -> StoreError:
        """Return the error that it is not what was expected."""
        found = self.data[:60].decode(errors="backslashreplace")
        return StoreError(
            f"{self.file}, line {self.number}, byte {self.offset} is damaged: found {found!r}, expected {expected}",
            hint,
        )


def read_lines(file: Path) -> Iterator[Line]:
    """Yield the whole lines of a file, without a torn last one; nothing if there is no file."""
    if not file.exists():
        return
    offset = 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                return
            yield Line(file, number, offset, line[:-1])
            offset += len(line)
