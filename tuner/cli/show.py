"""``tuner show``: the trials of a sweep."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.tables import Format, FormatOption, write

COLUMNS = ("trial", "state", "values", "step", "seconds", "params", "reason")


@command("show")
def show(
    name: NameArgument,
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the trials of a sweep: state, parameters, objective, steps, seconds."""
    from tuner.sweep import Sweep

    del debug
    rows = [trial.row() for trial in Sweep.open(name, root).result().trials]
    write(rows, COLUMNS, form)
    return 0
