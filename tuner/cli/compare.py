"""``tuner compare``: sweeps, or trials, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say
from tuner.cli.output import check_file
from tuner.cli.tables import Format, FormatOption, write


@command("compare")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sweeps, or trials as NAME:7.")],
    form: FormatOption = Format.TABLE,
    page: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page that stands alone.")] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show sweeps or trials side by side: what differs in parameters, final metrics, curves, time."""
    from tuner.cli.targets import split
    from tuner.operations.compare import side_by_side, subjects, to_page

    del debug
    for name in names:
        split(name)
    if page is not None:
        check_file(page, "--html")
    found = subjects(names, root)
    for subject in found:
        if subject.why_none:
            say(f"note: {subject.why_none}, so there is no best trial to compare", err=True)
    if page is not None:
        page.write_text(to_page(found), encoding="utf-8")
        typer.echo(f"wrote {page}", err=True)
    if form is Format.TABLE:
        rows = side_by_side(found)
        write(rows, list(rows[0]), form)
    else:
        write([subject.row() for subject in found], (), form)
    return 0
