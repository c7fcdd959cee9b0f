"""``tuner stop``: ask a running sweep to stop as by Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.errors import InvalidInput


@command("stop")
def stop(name: NameArgument, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """Ask a running sweep to stop; its trials stop at their next checkpoints."""
    from tuner.cli.naming import open_sweep, split
    from tuner.paths import Root
    from tuner.study.lock import at_work, named
    from tuner.sweep.stopping import request_stop

    del debug
    whole, trial = split(name)
    sweep_dir = Root(root.absolute()).sweep(whole)
    drivers = at_work(sweep_dir)  # of a sweep that begins, too, of which there is no more than that yet
    if trial is not None or not drivers:
        open_sweep(name, root)
        raise InvalidInput("", f"the sweep {name!r} is not running, so there is nothing to stop")
    request_stop(sweep_dir.stop_file)
    typer.echo(f"asked {named(drivers)} to stop; follow it with: tuner list")
    return 0
