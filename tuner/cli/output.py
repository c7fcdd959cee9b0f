"""Where a command is to write: looked at before its work, so that a mistake costs none."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.errors import InvalidInput, Problem
from tuner.files.writable import is_writable


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
    elif not (os.access(file, os.W_OK) if file.exists() else is_writable(folder)):
        found, hint = f"cannot write {file}: its owner, mode or file system forbids it", "name another file"
    if found:
        raise InvalidInput("", [Problem(argument, found, hint)])
