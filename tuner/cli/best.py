"""``tuner best``: the best trial, or the Pareto front of several objectives."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.show import columns_of
from tuner.cli.tables import Format, FormatOption, write, write_json


@command("best")
def best(
    name: NameArgument,
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the best trial (the Pareto front where there are several objectives).

    Where parameters are repeated with several seeds: of those with the best mean the trial nearest to it.
    """
    from tuner.cli.naming import open_sweep

    del debug
    result = open_sweep(name, root).result()
    several = len(result.spec.objectives) > 1
    best_trial = result.best  # says so where there is none
    rows = [trial.row() for trial in result.front] if several else [best_trial.row()]
    if form is Format.JSON:
        write_json(rows if several else rows[0])
    else:
        write(rows, columns_of(rows), form)
    return 0
