"""``tuner check``: try a search space file and its model, and record nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command


@command("check")
def check(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="Search space file.", show_default=False)],
    override: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the file.")
    ] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Validate the file and the model: build the graph, train one step, evaluate once."""
    from tuner.spacefile import load_spec
    from tuner.sweep.trying import try_spec

    del root, debug
    tried = try_spec(load_spec(space, override or []))
    for line in tried.lines:
        typer.echo(line)
    return 0
