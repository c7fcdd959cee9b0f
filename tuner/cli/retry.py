"""``tuner retry``: run the trials that failed again, under their numbers."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.resume import ResumeBackend
from tuner.cli.run import ExportOption, Timeout, Trials, TrialTimeout, Workers, parse_limits, run_session


@command("retry")
def retry(
    name: NameOrTrialArgument,
    trials: Trials = None,
    workers: Workers = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: ResumeBackend = None,
    export: ExportOption = True,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Run the trials that failed again, under their numbers; then continue the sweep as resume does.

    Each goes on from its newest checkpoint, or begins anew if it came to none; so does the trial NAME:N alone.
    """
    from tuner.cli.ending import is_judged
    from tuner.cli.targets import open_trial
    from tuner.sweep import RunOptions
    from tuner.sweep.retry import failed_trials

    del debug
    limits = parse_limits(trials, workers, None, timeout, trial_timeout)
    sweep, number = open_trial(name, None, root)
    failed = failed_trials(sweep.result(), None if number is None else [number])
    stands = [trial.number for trial in failed if is_judged(trial, sweep.spec.train.max_steps)]
    if stands:
        say(
            f"note: the value at the last step of trial {', '.join(map(str, stands))} is no number, and stands",
            err=True,
        )
    options = RunOptions(
        **limits, backend=backend or sweep.backend, export=export, retry=[trial.number for trial in failed]
    )
    return run_session(sweep, options)
