"""``tuner verify``: compare study, MLflow and event files."""

from __future__ import annotations

from pathlib import Path

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.lines import say
from tuner.text import counted


@command("verify")
def verify(name: NameArgument, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """Compare study, MLflow and event files, and say where they differ.

    While a driver is at work, only trials are compared that have ended and whose records have all arrived.
    """
    from tuner.cli.targets import open_sweep
    from tuner.operations.verify import verify_now

    del debug
    sweep = open_sweep(name, root)
    report = verify_now(sweep.dir, sweep.result)
    for line in report.differences:
        say(line)
    for line in report.notes:
        say(f"note: {line}", err=True)
    if report.unsettled:
        which = f"not compared ({report.unsettled} of {report.unsettled + report.trials})"
        what = f"trials that have not ended, or whose records are on their way, are {which}"
        say(f"note: a driver is at work, so {what}; verify again when it has ended", err=True)
    if report.differences:
        typer.echo(counted(len(report.differences), "difference"), err=True)
        return 1
    compared = f"{counted(report.trials, 'trial')}, {counted(report.values, 'value')}"
    typer.echo(f"{compared}: study, MLflow and event files are equal")
    return 0
