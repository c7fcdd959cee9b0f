"""Where a command is to write: looked at before its work, so that a mistake costs none."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.errors import InvalidInput, Problem


def check_file(file: Path, argument: str, example: str = "page.html") -> None:
    """Make sure that a file can be written.

    Args:
        file: It need not be there; its folder must.
        argument: By which it was named.
        example: A name that it may have.

    Raises:
        InvalidInput: It cannot.
    """
    folder = file.absolute().parent
    found, hint = "", ""
    if file.is_dir():
        found, hint = f"{file} is a folder, expected a file", f"as {file / example}"
    elif not folder.is_dir():
        found, hint = f"cannot write {file}: there is no folder {folder}", f"make it with: mkdir -p {folder}"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        found, hint = f"cannot write {file}: its owner, mode or file system forbids it", "name another file"
    if found:
        raise InvalidInput("", [Problem(argument, found, hint)])


def check_folder(folder: Path, argument: str) -> None:
    """Make sure that files can be written into a folder, which is made with those above it if it is not there.

    Args:
        folder: The folder.
        argument: By which it was named.

    Raises:
        InvalidInput: They cannot.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    found = ""
    if not there.is_dir():
        found = f"cannot write to {folder}: {there} is a file, expected a folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        found = f"cannot write to {folder}: the owner, mode or file system of {there} forbids it"
    if found:
        raise InvalidInput("", [Problem(argument, found, "name another folder")])
