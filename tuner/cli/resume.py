"""``tuner resume``: continue an interrupted sweep from what is on disk."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.run import BackendOption, ExportOption, Timeout, Trials, TrialTimeout, Workers, drive, parse_limits


@command("resume")
def resume(
    name: NameArgument,
    trials: Trials = None,
    workers: Workers = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: BackendOption = "local",
    export: ExportOption = True,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Continue an interrupted sweep from what is on disk."""
    from tuner.cli.naming import open_sweep

    del debug
    limits = parse_limits(trials, workers, None, timeout, trial_timeout)
    return drive(open_sweep(name, root), limits, backend, {}, export=export)
