"""``tuner retry``: run the trials that failed again, under their numbers."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.resume import ResumeBackend
from tuner.cli.run import ExportOption, Timeout, Trials, TrialTimeout, Workers, parse_limits, run_session
from tuner.errors import InvalidInput, Problem


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
    from tuner.cli.targets import open_trial, trial_of
    from tuner.domain.trial import TrialState
    from tuner.files.driver_lock import at_work
    from tuner.sweep import RunOptions

    del debug
    limits = parse_limits(trials, workers, None, timeout, trial_timeout)
    sweep, number = open_trial(name, None, root)
    chosen = sweep.result().trials if number is None else [trial_of(sweep, number)]
    failed = [trial.number for trial in chosen if trial.state is TrialState.FAIL]
    if not failed:
        what = f"trial {number} is {chosen[0].state.value}" if number is not None else "no trial of it has failed"
        found = f"the sweep {sweep.spec.name!r}: {what}, so there is nothing to run again"
        way = "it is being worked on; watch it with: tuner watch" if at_work(sweep.dir) else "go on with: tuner resume"
        raise InvalidInput("", [Problem("", found, f"{way} {sweep.spec.name}")])
    stands = [
        trial.number for trial in chosen if trial.number in failed and is_judged(trial, sweep.spec.train.max_steps)
    ]
    if stands:
        say(
            f"note: the value at the last step of trial {', '.join(map(str, stands))} is no number, and stands",
            err=True,
        )
    options = RunOptions(**limits, backend=backend or sweep.backend, export=export, retry=failed)
    return run_session(sweep, options)
