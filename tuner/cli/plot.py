"""``tuner plot`` and ``tuner report``: a sweep as pictures and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.errors import InvalidInput, SweepError


@command("plot")
def plot(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder for the files.", show_default=False)],
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Draw a sweep: each plot as a picture (PNG) and as a page that stands alone (HTML)."""
    from tuner.cli.targets import open_sweep

    del debug
    result = open_sweep(name, root).result()
    try:
        files = result.save_plots(folder)
    except OSError as error:
        raise InvalidInput("", f"cannot write to {folder}: {error.strerror}") from error
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
    from tuner.cli.targets import open_sweep

    del debug
    result = open_sweep(name, root).result()
    target = file or Path(f"{name}.html")
    try:
        target.write_text(result.report(), encoding="utf-8")
    except OSError as error:
        raise InvalidInput("", f"cannot write {target}: {error.strerror}") from error
    typer.echo(str(target))
    return 0
