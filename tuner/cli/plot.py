"""``tuner plot`` and ``tuner report``: a sweep as pictures and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.output import check_file
from tuner.errors import SweepError
from tuner.files.writable import check_folder


@command("plot")
def plot(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder for the files.", show_default=False)],
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Draw a sweep: each plot as a picture (PNG) and as a page that stands alone (HTML)."""
    from tuner.cli.targets import open_sweep, refuse_swapped

    del debug
    refuse_swapped(name, folder, root)
    check_folder(folder, "OUT_DIR")
    files = open_sweep(name, root).result().save_plots(folder)
    if not files:
        raise SweepError(f"the sweep {name!r} has nothing to draw yet", f"see its trials with: tuner show {name}")
    for file in files:
        typer.echo(str(file))
    return 0


@command("report")
def report(
    name: NameArgument,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default="NAME.html")] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Write one HTML page of a sweep that stands alone, to be mailed: charts, every trial, how to repeat it."""
    from tuner.cli.targets import open_sweep, refuse_swapped

    del debug
    refuse_swapped(name, file, root)
    sweep = open_sweep(name, root)
    target = file or Path(f"{name}.html")
    check_file(target, "FILE")
    target.write_text(sweep.result().report(), encoding="utf-8")
    typer.echo(str(target))
    return 0
