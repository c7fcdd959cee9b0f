"""``tuner init``: a model and a search space to start from."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.errors import InvalidInput, Problem

FILES = ("model.py", "search_space.yaml")


@command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write.", show_default=False)] = Path(),
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Write a model and a search space to start from; the sweep is called as the folder is."""
    del root, debug
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise InvalidInput("", [Problem("", f"{folder} has {' and '.join(there)} already", "choose another folder")])
    sweep = _sweep_name(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            text = resources.files("tuner.templates").joinpath(f"{name}.txt").read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("NAME", sweep, 1), encoding="utf-8")
    except OSError as error:
        found = "it is a file, expected a folder" if folder.is_file() else error.strerror
        raise InvalidInput("", f"cannot write to {folder}: {found}") from error
    typer.echo(f"wrote {' and '.join(str(folder / name) for name in FILES)}")
    space = shlex.quote(str(folder / FILES[1]))
    typer.echo(f"try them with:\n  tuner check {space}\nthen:\n  tuner run {space}")
    return 0


def _sweep_name(folder: Path) -> str:
    """Return the name of a folder as YAML and as a sweep can have it."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", folder.absolute().resolve().name)[:100].lstrip("_.-") or "first"
    return name if re.match("[A-Za-z]", name) and name.lower() not in ("true", "false", "null") else f"'{name}'"
