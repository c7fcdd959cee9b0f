"""The description of a sweep's run, in Markdown, for MLflow's page of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tuner.recorders.batch import text
from tuner.recorders.standing import Standing
from tuner.records import SweepOpened
from tuner.values import TrialState

LENGTH = 5000  # characters, of the 8000 that MLflow takes
_FRONT = 10  # trials of a Pareto front that are listed


def describe_sweep(standing: Standing) -> str:
    """Return what a reader of the sweep's page wants to know first: how it stands, the best, how to go on."""
    opened = standing.opened
    if opened is None:
        return ""
    lines = [f"# {opened.name}", ""]
    if opened.description:
        lines += [opened.description.strip(), ""]
    lines += [" · ".join(f"{goal} `{metric}`" for metric, goal in opened.objectives.items()), ""]
    lines += [*_counts(standing), "", *_best(standing), ""]
    lines += ["### Budget", "", "| setting | value |", "|---|---|"]
    lines += [f"| {key} | {_cell(str(value))} |" for key, value in opened.settings.items() if value is not None]
    lines += ["", "### Go on", "", *_commands(opened), ""]
    return _with_space("\n".join(lines), opened)


def _counts(standing: Standing) -> Iterator[str]:
    counts = standing.counts
    shown = [f"{counts[state]} {state.value.lower()}" for state in TrialState if counts[state]]
    yield f"**Trials:** {', '.join(shown) or 'none yet'}"
    if standing.closed is not None:
        how = "finished" if standing.closed.finished else "stopped, can be continued"
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(standing.closed.time))
        yield f"<br>**Ended:** {how}: {standing.closed.reason} ({when})"


def _best(standing: Standing) -> Iterator[str]:
    assert standing.opened is not None
    if standing.best is None:
        yield "No trial is complete yet."
        return
    if len(standing.opened.objectives) > 1:
        metrics = list(standing.opened.objectives)
        yield from ("**Best so far:** the trials that none is better than in every objective", "")
        yield from (f"| trial | {' | '.join(metrics)} |", "|---" * (len(metrics) + 1) + "|")
        for trial in standing.front[:_FRONT]:
            yield f"| {trial} | {' | '.join(f'{standing.values[trial][metric]:.6g}' for metric in metrics)} |"
        return
    trial, values = standing.best
    shown = ", ".join(f"`{metric}` {value:.6g}" for metric, value in values.items())
    if (repeats := standing.opened.settings.get("repeats", 1)) > 1:
        shown += f", the mean of {repeats} seeds"
    yield from (f"**Best so far:** trial {trial}, {shown}", "", "| parameter | value |", "|---|---|")
    for name, value in standing.params.get(trial, {}).items():
        shown = f"{value:.6g}" if isinstance(value, float) else text(value)
        yield f"| {name} | {_cell(shown)} |"


def _commands(opened: SweepOpened) -> Iterator[str]:
    name = opened.name
    yield "```sh"
    yield f"tuner resume {name}             # continue it where it was stopped"
    yield f"tuner show {name}               # its trials"
    yield f"tuner report {name}             # one page to mail"
    yield "```"


def _with_space(head: str, opened: SweepOpened) -> str:
    """Add the search space, cut where it would be too long."""
    room = LENGTH - len(head) - 120
    space = opened.space.rstrip()
    if len(space) > room:
        space = space[: max(0, room)].rpartition("\n")[0] + "\n# ... the rest is in search_space.yaml"
    return f"{head}\n### Search space\n\n```yaml\n{space}\n```"[: LENGTH + 1000]


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
