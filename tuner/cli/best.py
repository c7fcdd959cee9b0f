"""``tuner best``: the best trial, or the Pareto front of several objectives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.tables import Format, FormatOption, write, write_json

if TYPE_CHECKING:
    from tuner.results import SweepResult, Trial


@command("best")
def best(
    name: NameArgument,
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the best trial (the Pareto front if there are several objectives).

    If parameters are repeated with several seeds: of those with the best mean the trial nearest to it. Its step
    is that of its value (the last of a mean), exported_step that of the checkpoint that export takes.
    """
    from tuner.cli.grid import terminal_width
    from tuner.cli.targets import open_sweep, say_lost
    from tuner.cli.trial_page import LABEL, page
    from tuner.cli.trial_table import write_trials

    del debug
    result = open_sweep(name, root).result()
    say_lost(result)
    several = len(result.spec.objectives) > 1
    best_trial = result.best  # says so if there is none
    trials = result.front if several else [best_trial]
    rows = [_row(result, trial) for trial in trials]
    if form is Format.JSON:
        write_json(rows if several else rows[0])
    elif form is Format.CSV:
        write(rows, (), form)
    elif several:
        write_trials(result, trials, value_steps=True)
    else:
        for line in page(result, best_trial, terminal_width(), rows[0]["exported_step"]):
            say(line, hang=LABEL)
    return 0


def _row(result: SweepResult, trial: Trial) -> dict[str, Any]:
    """Return a trial as ``tuner show`` has it, with the step of its value and that of its export."""
    from tuner.export import exported_choice

    choice = exported_choice(result.dir, trial)
    return {**trial.row(), "step": trial.value_step, "exported_step": choice.step if choice else None}
