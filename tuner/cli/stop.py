"""``tuner stop``: ask a running sweep to stop as by Ctrl-C, or end one of its trials."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say
from tuner.errors import InvalidInput


@command("stop")
def stop(name: NameOrTrialArgument, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """Ask a running sweep to stop; its trials stop at their next checkpoints. NAME:N ends that trial alone.

    A trial that is ended so is PRUNED, with the value of its last evaluation, and the sweep goes on.
    """
    from tuner.cli.targets import open_sweep, split
    from tuner.driver.stop_requests import request_stop
    from tuner.files.driver_lock import at_work, named
    from tuner.files.paths import Root

    del debug
    whole, trial = split(name)
    sweep_dir = Root(root.absolute()).sweep(whole)
    drivers = at_work(sweep_dir)  # of a sweep that begins, too, of which there is no more than that yet
    if not drivers:
        open_sweep(whole, root)
        raise InvalidInput("", f"the sweep {whole!r} is not running, so there is nothing to stop")
    if trial is not None:
        return _stop_trial(whole, trial, root)
    request_stop(sweep_dir.stop_file)
    say(f"asked {named(drivers)} to stop; follow it with: tuner list")
    return 0


def _stop_trial(name: str, number: int, root: Path) -> int:
    from tuner.cli.ending import named
    from tuner.cli.targets import open_sweep, trial_of
    from tuner.domain.trial import TrialState
    from tuner.driver.stop_requests import request_stop

    sweep = open_sweep(name, root)
    trial = trial_of(sweep, number)
    if trial.state is not TrialState.RUNNING:
        raise InvalidInput("", f"trial {number} of {name!r} is {trial.state.value}, expected one that is RUNNING")
    file = sweep.dir.stop_trial_file(number)
    file.parent.mkdir(exist_ok=True)
    request_stop(file)
    say(f"asked the driver to end trial {number}; see it with: tuner show {named(sweep.result(), number)}")
    return 0
