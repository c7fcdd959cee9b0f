"""Whether files can be written into a folder: found out by writing, as rights do not tell it of ``/proc``, say."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tuner.errors import InvalidInput, Problem


def check_folder(folder: Path, argument: str) -> None:
    """Make sure that files can be written into a folder, which is made with those above it if it is not there.

    Args:
        folder: The folder.
        argument: By which it was named.

    Raises:
        InvalidInput: They cannot.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        found = f"cannot write to {folder}: {there} is a file, expected a folder"
    elif not is_writable(there):
        found = f"cannot write to {folder}: the owner, mode or file system of {there} forbids it"
    else:
        return
    raise InvalidInput("", [Problem(argument, found, "name another folder")])


def is_writable(folder: Path) -> bool:
    """Whether something can be written into a folder that is there."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
