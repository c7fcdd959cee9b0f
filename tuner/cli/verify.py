"""``tuner verify``: compare study, MLflow and event files."""

from __future__ import annotations

from pathlib import Path

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.lines import say


@command("verify")
def verify(name: NameArgument, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """Compare study, MLflow and event files, and say where they differ."""
    from tuner.cli.targets import open_sweep
    from tuner.files.driver_lock import at_work
    from tuner.operations.verify import verify_sweep

    del debug
    sweep = open_sweep(name, root)
    report = verify_sweep(sweep.dir, sweep.result())
    for line in report.differences:
        say(line)
    for line in report.notes:
        say(f"note: {line}", err=True)
    if report.differences and at_work(sweep.dir):
        say("note: a driver is at work, so records are on their way; verify again when it has ended", err=True)
    if report.differences:
        typer.echo(f"{len(report.differences)} differences", err=True)
        return 1
    typer.echo(f"{report.trials} trials, {report.values} values: study, MLflow and event files are equal")
    return 0
