"""``tuner show``: the trials of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.tables import Format, FormatOption, write

COLUMNS = ("trial", "state", "values", "step", "seconds", "params", "reason")


def columns_of(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the columns of a table of trials: where parameters are repeated, what they have come to as well."""
    if not any("repeat_of" in row for row in rows):
        return COLUMNS
    return (*COLUMNS[:3], "repeat_of", "mean", "spread", "seeds", *COLUMNS[3:])


@command("show")
def show(
    name: NameOrTrialArgument,
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the trials of a sweep, or one of them: state, parameters, objective, steps, seconds."""
    from tuner.cli.naming import open_trial, trial_of
    from tuner.study.lock import at_work

    del debug
    sweep, number = open_trial(name, None, root)
    rows = [trial.row() for trial in (sweep.result().trials if number is None else [trial_of(sweep, number)])]
    write(rows, columns_of(rows), form)
    if any(row["state"] == "RUNNING" for row in rows) and not at_work(sweep.dir):
        line = "no driver is at work: what is RUNNING was left by one that died; go on with: tuner resume"
        typer.echo(f"{line} {sweep.spec.name}", err=True)
    return 0
