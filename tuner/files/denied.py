"""What the rights of files forbid, such as those of another user's records."""

from __future__ import annotations

import os

HINT = "change its owner or mode, or do this as its owner"


def denial(error: OSError) -> str:
    """Return what an error says that rights forbid, in words; nothing of an error of another kind."""
    if not isinstance(error, PermissionError) or error.filename is None:
        return ""
    file = os.fsdecode(error.filename)
    is_new = os.access(os.path.dirname(file) or ".", os.X_OK) and not os.path.lexists(file)  # noqa: PTH120 - of any name
    verb = "write to" if is_new or os.access(file, os.R_OK) else "read"
    return f"cannot {verb} {file}: its owner, mode or file system forbids it"
