"""``tuner show``: the trials of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.tables import Format, FormatOption, write
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput


@command("show")
def show(
    name: NameOrTrialArgument,
    sort: Annotated[
        str,
        typer.Option("--sort", metavar="KEY", help="Sort by value, step, a parameter...; -KEY: the other way round."),
    ] = "",
    top: Annotated[
        int | None, typer.Option("--top", metavar="N", min=1, help="The first N: the best, without --sort.")
    ] = None,
    where: Annotated[
        str, typer.Option("--where", metavar="EXPR", help="Only trials of which it holds: 'units > 64 and state=FAIL'.")
    ] = "",
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the trials of a sweep, or NAME:7 whole: curve, checkpoints, folder, log, MLflow page.

    Of a trial that may go on the value is what it has come to so far. Conditions have = != < <= > >= in (A, B), and,
    or, not, parentheses; they and --sort take every parameter, objective and what JSON has (step, seconds, reason).
    """
    from tuner.cli.grid import terminal_width
    from tuner.cli.targets import open_trial, say_lost, trial_of
    from tuner.cli.trial_page import LABEL, page
    from tuner.cli.trial_table import write_trials
    from tuner.files.driver_lock import at_work

    del debug
    sweep, number = open_trial(name, None, root)
    if number is not None and (sort or top or where):
        whole = sweep.spec.name
        raise InvalidInput("", f"--sort, --top and --where choose among the trials of a sweep: tuner show {whole} ...")
    result = sweep.result()
    say_lost(result)
    trials = result.select(where, sort, top) if number is None else [trial_of(sweep, number)]
    if form is not Format.TABLE:
        write([trial.row() for trial in trials], (), form)
    elif number is not None:
        for line in page(result, trials[0], terminal_width()):
            say(line, hang=LABEL)
    elif trials:
        write_trials(result, trials)
    else:
        typer.echo(f"no trial of {len(result.trials)}: {where}" if where else "no trials yet")
    if any(trial.state is TrialState.RUNNING for trial in trials) and not at_work(sweep.dir):
        line = "no driver is at work: what is RUNNING was left by one that died; go on with: tuner resume"
        say(f"{line} {sweep.spec.name}", err=True)
    return 0
