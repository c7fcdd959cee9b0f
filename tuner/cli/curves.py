"""``tuner curves``: the learning curves of a sweep as a table to simulate with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.output import check_file


@command("curves")
def curves(
    name: NameArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Table to write: .csv, .csv.gz or .parquet.", show_default=False)
    ],
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Write the learning curves of a sweep's complete trials as a table for --backend simulated."""
    from tuner.cli.targets import open_sweep, refuse_swapped
    from tuner.operations.curves import write_curves

    del debug
    refuse_swapped(name, file, root)
    check_file(file, "FILE", "curves.csv")
    count = write_curves(open_sweep(name, root).result(), file)
    say(f"{count} curves in {file}; simulate with them: simulation: {{curves: {file.name}}}", err=True)
    return 0
