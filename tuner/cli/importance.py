"""``tuner importance``: which parameters mattered, and which are left out and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.tables import Format, FormatOption, write
from tuner.text import counted

if TYPE_CHECKING:
    from tuner.results import SweepResult

_BAR = 30


@command("importance")
def importance(
    name: NameArgument,
    form: FormatOption = Format.TABLE,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show which parameters mattered: each one's share of the objective's variation; which are left out, and why."""
    from tuner.cli.targets import open_sweep

    del debug
    result = open_sweep(name, root).result()
    rows = importance_rows(result)
    if form is not Format.TABLE:
        write(rows, (), form)
        return 0
    from tuner.cli.ending import named
    from tuner.cli.lines import say
    from tuner.files.driver_lock import at_work
    from tuner.study.importance import too_few

    records, more = [trial.record for trial in result.trials], False
    for objective in result.spec.objectives:
        if why := too_few(result.spec, records, objective):
            say(f"importance for {objective.metric} cannot be told yet: {why}")
            more = bool(result.spec.space.parameters)
            continue
        own = [row for row in rows if row["objective"] == objective.metric]
        wide = max((len(row["parameter"]) for row in own), default=0)
        told = [row for row in own if row["share"] is not None]
        method = f", {told[0]['method']}" if told else ""
        typer.echo(f"importance for {objective.metric}{method}")
        for row in told:
            bar = "█" * round(row["share"] * _BAR)
            typer.echo(f"  {row['parameter']:<{wide}}  {row['share']:6.1%}  {bar}".rstrip())
        for row in own:
            if row["share"] is None:
                typer.echo(f"  {row['parameter']:<{wide}}  left out: {row['left_out']}")
    ended = sum(trial.state.is_finished for trial in result.trials)
    planned, verb = counted(result.spec.search.trials, "trial"), "have" if result.spec.search.trials > 1 else "has"
    if more and at_work(result.dir):
        say(f"{ended} of {planned} {verb} ended; watch the others with:")
        say(f"  tuner watch {named(result)}")
    elif more and ended < result.spec.search.trials:
        say(f"{ended} of {planned} {verb} ended; go on with:")
        say(f"  tuner resume {named(result)}")
    elif more:
        say(f"for 10 more trials, {len(result.trials) + 10} in all:")
        say(f"  tuner resume {named(result)} --trials {len(result.trials) + 10}")
    return 0


def importance_rows(result: SweepResult) -> list[dict[str, Any]]:
    """Return a row for each objective and parameter, the most important first, those left out last."""
    from tuner.study.importance import too_few

    rows = []
    records = [trial.record for trial in result.trials]
    for objective in result.spec.objectives:
        none = too_few(result.spec, records, objective)
        found = result.importances[objective.metric]
        shares = dict(found.shares) if found else {}
        method = found.method if found else ""
        for parameter, share in sorted(shares.items(), key=lambda pair: -pair[1]):
            rows.append(_row(objective.metric, parameter, share, method, ""))
        for parameter in (p.name for p in result.spec.space.parameters if p.name not in shares):
            rows.append(_row(objective.metric, parameter, None, method, none or _why_not(result, parameter)))
    return rows


def _row(objective: str, parameter: str, share: float | None, method: str, left_out: str) -> dict[str, Any]:
    return {"objective": objective, "parameter": parameter, "share": share, "method": method, "left_out": left_out}


def _why_not(result: SweepResult, parameter: str) -> str:
    """Return why nothing is said of a parameter."""
    complete = [trial for trial in result.trials if trial.state.value == "COMPLETE"]
    having = [trial for trial in complete if parameter in trial.params]
    if len(having) < min(4, len(complete)):
        return f"only {len(having)} of {len(complete)} complete trials have it"
    if len({str(trial.params[parameter]) for trial in having}) < 2 and having:
        return f"it has one value in all {len(having)} complete trials"
    return f"nothing can be told from the {len(complete)} complete trials"
