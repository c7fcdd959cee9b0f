"""``tuner rerun``: run a trial again from its record and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say


@command("rerun")
def rerun(
    name: NameOrTrialArgument,
    trial: Annotated[
        int | None,
        typer.Option("--trial", metavar="N", help="Number of the trial.", min=0, show_default="that of NAME:N"),
    ] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Run a trial again from its record, beside it, and compare every evaluation."""
    from tuner.cli.targets import open_one_trial, trial_of
    from tuner.operations.rerun import rerun as run_again

    del debug
    sweep, number = open_one_trial(name, trial, root)
    done = run_again(sweep.dir, sweep.spec.model, trial_of(sweep, number))
    for line in done.differences:
        say(line)
    if done.differences:
        typer.echo(f"{len(done.differences)} of {done.compared} values differ", err=True)
        for reason in done.reasons:
            say(f"a reason may be: {reason}", err=True)
        return 1
    typer.echo(f"trial {number} again: {done.compared} values, all equal to the last bit")
    return 0
