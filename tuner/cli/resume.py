"""``tuner resume``: continue an interrupted sweep from what is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.run import ExportOption, Timeout, Trials, TrialTimeout, Workers, parse_limits, run_session

ResumeBackend = Annotated[
    str | None, typer.Option("--backend", metavar="WHERE", help="Where trials run: where they ran last, unless given.")
]


@command("resume")
def resume(
    name: NameArgument,
    trials: Trials = None,
    workers: Workers = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: ResumeBackend = None,
    export: ExportOption = True,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Continue an interrupted sweep from what is on disk."""
    from tuner.cli.targets import open_sweep
    from tuner.sweep import RunOptions

    del debug
    limits = parse_limits(trials, workers, None, timeout, trial_timeout)
    sweep = open_sweep(name, root)
    return run_session(sweep, RunOptions(**limits, backend=backend or sweep.backend, export=export))
