"""``tuner import``: another tool's search space as one of ours."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say
from tuner.errors import InvalidInput, Problem


@command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML or JSON of another tool.", show_default=False)],
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Print an AI Platform, Vertex AI, Katib or W&B search space as one of ours."""
    from tuner.importers import IMPORTERS, import_file

    del root, debug
    names = ", ".join(importer.name for importer in IMPORTERS)
    if file.suffix == ".py" and file.is_file():
        raise InvalidInput(str(file), f"is a Python file, expected a search space of: {names} (YAML or JSON)")
    found = import_file(file)
    if found is None:
        hint = "one of ours runs as it is: tuner run FILE"
        raise InvalidInput(str(file), [Problem("", f"is no search space of: {names}", hint)])
    for note in found.notes:
        say(f"note: {note}", err=True)
    if found.warm_start:
        say(f"note: learns from another job; run it with: --from {shlex.quote(found.warm_start)}", err=True)
    typer.echo(found.text, nl=False)
    return 0
