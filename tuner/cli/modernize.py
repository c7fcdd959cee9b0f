"""``tuner modernize``: a patch for what is mechanical in moving a trainer of TensorFlow 1."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, command

DirArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the trainer, or one file.", show_default=False)
]


@command("modernize")
def modernize(
    folder: DirArgument,
    write: Annotated[
        bool, typer.Option("--write/--diff", help="Change the files, or print what would change as a patch.")
    ] = False,
    debug: DebugOption = False,
) -> int:
    """Print a patch for what TensorFlow 2 has under another name; what is to be done by hand is said beside.

    Files are touched only with --write.
    """
    from tuner.errors import InvalidInput, Problem
    from tuner.files.beside import near_path
    from tuner.model.tensorflow_1 import only_in_version_1
    from tuner.operations.check_sources import prepare
    from tuner.operations.modernize import modernize

    del debug
    if not folder.exists():
        found = f"{folder} is not there, expected a folder of a trainer"
        raise InvalidInput("", [Problem("", found, near_path(folder.absolute()))])
    if folder.is_file() and folder.suffix != ".py":
        raise InvalidInput("", f"{folder} is no Python file, expected one, or a folder of a trainer")
    prepare()
    base = folder if folder.is_dir() else folder.parent
    for done in modernize(folder, only_in_version_1):
        name = done.file.relative_to(base)
        if done.unread:
            typer.echo(f"{name}: {done.unread}", err=True)
            continue
        patch = done.patch(base)
        if patch and write:
            done.write()
            typer.echo(f"changed {name}")
        elif patch:
            typer.echo(patch, nl=False)
        for use in done.left:
            typer.echo(f"{name}:{use.line}: {use}", err=True)
    return 0
