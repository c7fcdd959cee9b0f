"""``tuner rerun``: run a trial again from its record and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.errors import InvalidInput


@command("rerun")
def rerun(
    name: NameArgument,
    trial: Annotated[int, typer.Option("--trial", help="Number of the trial.", min=0, show_default=False)],
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Run a trial again from its record, beside it, and compare every evaluation."""
    from tuner.sweep import Sweep
    from tuner.sweep.rerunning import rerun as run_again

    del debug
    sweep = Sweep.open(name, root)
    found = {recorded.number: recorded for recorded in sweep.result().trials}
    if trial not in found:
        raise InvalidInput("", f"the sweep {name!r} has no trial {trial}; see: tuner show {name}")
    done = run_again(sweep.dir, found[trial])
    for line in done.differences:
        typer.echo(line)
    if done.differences:
        typer.echo(f"{len(done.differences)} of {done.compared} values differ", err=True)
        return 1
    typer.echo(f"trial {trial} again: {done.compared} values, all equal to the last bit")
    return 0
