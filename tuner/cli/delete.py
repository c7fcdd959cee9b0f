"""``tuner delete``: a sweep or a trial, with its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say
from tuner.errors import InvalidInput

TargetArgument = Annotated[str, typer.Argument(help="A sweep, or one of its trials as NAME:N.", metavar="NAME[:N]")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")]


@command("delete")
def delete(
    target: TargetArgument, dry_run: DryRunOption = False, root: RootOption = Path(), debug: DebugOption = False
) -> int:
    """Delete a sweep or a trial, without asking: its folder, its runs and exported models in MLflow.

    It cannot be undone: checkpoints, logs and event files are gone at once (MLflow alone keeps deleted runs, until
    mlflow gc). See first what would go with --dry-run. A model that was registered stays, as it may be served; how to
    delete it is said.
    """
    from tuner.files.paths import Root
    from tuner.operations.delete import plan_deletion

    del debug
    name, colon, number = target.partition(":")
    if colon and not number.isdecimal():
        raise InvalidInput("", f"found {target!r}, expected NAME or NAME:N with the number of a trial")
    deletion = plan_deletion(Root(root.absolute()).sweep(name), int(number) if colon else None)
    for line in deletion.lines:
        say(f"{'would delete' if dry_run else 'deleting'} {line}")
    if not dry_run:
        deletion.carry_out()
    for line in deletion.kept:
        say(f"keeping {line}")
    return 0
