"""``tuner resume``: continue an interrupted sweep from what is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.run import ExportOption, Timeout, Trials, TrialTimeout, Workers, drive, parse_limits


@command("resume")
def resume(
    name: NameArgument,
    trials: Trials = None,
    workers: Workers = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: Annotated[
        str | None, typer.Option("--backend", help="Where trials run: where they ran last, unless given.")
    ] = None,
    export: ExportOption = True,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Continue an interrupted sweep from what is on disk."""
    from tuner.cli.naming import open_sweep

    del debug
    limits = parse_limits(trials, workers, None, timeout, trial_timeout)
    sweep = open_sweep(name, root)
    return drive(sweep, limits, backend or sweep.backend, {}, export=export)
