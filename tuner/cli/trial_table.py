"""The trials of a sweep at a glance: what varies as columns, constants once, reasons grouped below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from tuner.cli.display import duration
from tuner.cli.grid import Column, grid, terminal_width
from tuner.cli.lines import fitted
from tuner.text import cell_text

if TYPE_CHECKING:
    from tuner.results import SweepResult, Trial

_REASONS = 12


def write_trials(
    result: SweepResult, trials: Sequence[Trial], width: int | None = None, value_steps: bool = False
) -> None:
    """Write trials as a table for people, and below it what their columns leave out.

    Args:
        result: The sweep.
        trials: Of it.
        width: Of the terminal, in characters.
        value_steps: Whether objectives that need not be of the last step have theirs beside them.
    """
    width = width or terminal_width()
    for line, is_heading in grid(_columns(result, trials, value_steps), width):
        typer.echo(typer.style(line, bold=True) if is_heading else line)
    for line in notes(result, trials):
        typer.echo(fitted(line, width))


def _columns(result: SweepResult, trials: Sequence[Trial], value_steps: bool) -> list[Column]:
    spec, rows = result.spec, [trial.row() for trial in trials]

    def column(heading: str, values: Sequence[Any]) -> Column:
        numbers = any(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        return Column(heading, list(map(_cell, values)), right=numbers)

    columns = [column("trial", [row["trial"] for row in rows]), column("state", [row["state"] for row in rows])]
    for objective in spec.objectives:
        columns.append(Column(objective.metric, [cell_text(row["values"].get(objective.metric)) for row in rows], True))
        if value_steps and objective.of.rule == "best":
            columns.append(column("of step", [trial.value_steps.get(objective.metric) for trial in trials]))
    for constraint in spec.constraints:
        columns.append(column(constraint.metric, [row["constraints"].get(constraint.metric) for row in rows]))
    for key in ("repeat_of", "mean", "spread", "seeds") if spec.search.repeats > 1 else ():
        columns.append(column(key, [row.get(key) for row in rows]))
    columns.append(column("step", [row["step"] for row in rows]))
    columns.append(Column("time", [_time(row) for row in rows], right=True))
    for name in varying_parameters(result, trials):
        columns.append(column(name, [_parameter(row["params"], name) for row in rows]))
    return columns


def _time(row: Mapping[str, Any]) -> str:
    """Return how long a trial's processes ran; of one that runs for the first time that is not known yet."""
    return "" if row["state"] == "RUNNING" and not row["seconds"] else duration(row["seconds"])


def _parameter(params: Mapping[str, Any], name: str) -> Any:
    value = params.get(name)
    return "null" if value is None and name in params else value


def _cell(value: Any) -> str:
    """Return a value with what tells trials apart: of a number five digits."""
    return f"{value:.5g}" if isinstance(value, float) else cell_text(value)


def varying_parameters(result: SweepResult, trials: Sequence[Trial]) -> list[str]:
    """Return the names of the parameters that tell trials apart: all of the space, and constants that differ."""
    names = [parameter.name for parameter in result.spec.space.parameters]
    for trial in trials:  # a model that defines its space has them in its trials alone
        names += [name for name in trial.params if name not in names and name not in result.spec.space.constants]
    return names


def notes(result: SweepResult, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield what stands below a table: constants, why trials ended, the best."""
    if result.spec.space.constants:
        yield f"constants: {cell_text(result.spec.space.constants)}"
    reasons: dict[str, list[int]] = {}
    for trial in trials:
        if trial.record.reason:
            reasons.setdefault(f"{trial.state.value} {trial.record.reason}", []).append(trial.number)
    for reason, numbers in list(reasons.items())[:_REASONS]:
        yield f"{reason}: trial{'s' if len(numbers) > 1 else ''} {ranges(numbers)}"
    if len(reasons) > _REASONS:
        yield f"and {len(reasons) - _REASONS} other reasons, all in: tuner show {result.spec.name} --format csv"


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers as people write them: ``0, 2-4, 9``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(texts)
