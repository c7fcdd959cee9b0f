"""``tuner check``: try a search space file and its model, and record nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say


@command("check")
def check(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="Search space file.", show_default=False)],
    script: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND...]", show_default=False)] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the file.")
    ] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Validate the file and the model: build the graph, train one step, evaluate once.

    Of a file without a model, a simulation: scheduler, sampler and recorders alone.

    Of a command: these, whether it is there, and every line of its sources that asks for what TensorFlow 2 has no more.
    """
    from tuner.cli.script_words import check_words
    from tuner.operations.check import check_spec
    from tuner.sweep.source_file import read_source_file

    check_words(space, script or [])
    if script:
        return _check_command(space, script, override or [], root)
    read = read_source_file(space, override or [])
    tried = check_spec(read.spec, traceback=debug)
    for line in (*(f"note: {note}" for note in read.notes), *tried.lines):
        say(line)
    return 0


def _check_command(space: Path, script: list[str], overrides: list[str], root: Path) -> int:
    from tuner.operations.check import check_settings
    from tuner.operations.check_sources import check_sources
    from tuner.sweep import Sweep
    from tuner.sweep.prechecks import check_script

    sweep = Sweep.from_file(space, root, None, overrides, script)
    check_settings(sweep.spec)
    check_script(sweep.spec)
    found = check_sources(sweep.spec)
    for line in (*found.problems, *(f"note: {note}" for note in found.notes)):
        say(line)
    if found.problems:
        say(f"{len(found.problems)} places to change; tuner modernize prints a patch for what is mechanical", err=True)
        return 1
    asks = f": its Python files ({found.files}) ask for nothing that TensorFlow 2 has no more" if found.files else ""
    typer.echo(f"the command can be run{asks}")
    return 0
