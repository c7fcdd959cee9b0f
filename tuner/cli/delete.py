"""``tuner delete``: a sweep or a trial, with its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.errors import InvalidInput

TargetArgument = Annotated[str, typer.Argument(help="A sweep, or one of its trials as NAME:N.", metavar="NAME[:N]")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")]


@command("delete")
def delete(
    target: TargetArgument, dry_run: DryRunOption = False, root: RootOption = Path(), debug: DebugOption = False
) -> int:
    """Delete a sweep or a trial, with its runs and exported models in MLflow and its folder.

    A model that was registered stays: it may be served. How to delete it is said.
    """
    from tuner.files.paths import Root
    from tuner.operations.delete import plan_deletion

    del debug
    name, colon, number = target.partition(":")
    if colon and not number.isdecimal():
        raise InvalidInput("", f"found {target!r}, expected NAME or NAME:N with the number of a trial")
    deletion = plan_deletion(Root(root.absolute()).sweep(name), int(number) if colon else None)
    for line in deletion.lines:
        typer.echo(f"{'would delete' if dry_run else 'deleting'} {line}")
    if not dry_run:
        deletion.carry_out()
    for line in deletion.kept:
        typer.echo(f"keeping {line}")
    return 0
