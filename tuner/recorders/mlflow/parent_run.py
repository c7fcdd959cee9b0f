"""The sweep's own run: its best so far, its description, how it ended."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator

from tuner.domain.tags import BEST, BEST_TRIAL, END, STATE
from tuner.domain.trial import TrialState
from tuner.recorders.mlflow import shared_view as view
from tuner.recorders.mlflow.batch import Batch, text
from tuner.recorders.mlflow.naming import ValidNames
from tuner.recorders.mlflow.statuses import STATUS_OF_END
from tuner.recorders.mlflow.summary import Improvement, SweepSummary
from tuner.records.record import SweepOpened, TrialChanged

EVERY_S = 2.0  # between two of its states while the sweep runs, at least


class ParentRun:
    """Say what of the sweep's run has changed.

    Args:
        summary: The sweep.
        clock: Seconds that never go back.
    """

    def __init__(self, summary: SweepSummary, clock: Callable[[], float] = time.monotonic) -> None:
        self._summary = summary
        self._clock = clock
        self._improvements = 0  # that have arrived
        self._note = ""
        self._sent: tuple[int, str, float | None] | None = None  # improvements, note, when the driver ended
        self._next = 0.0

    def due(self, closing: bool) -> Batch | None:
        """Return what has changed, or None if nothing has or it is too soon.

        ``best_objective`` has as its step the number of finished trials, so that its chart is the
        history of the sweep.
        """
        opened, closed = self._summary.opened, self._summary.closed
        if opened is None or not (closing or closed or self._clock() >= self._next):
            return None
        note = parent_description(self._summary)
        state = (len(self._summary.improvements), note, closed.time if closed else None)
        if state == self._sent:
            return None
        self._pending = state
        batch = Batch({"mlflow.note.content": note})
        for improvement in self._summary.improvements[self._improvements :]:
            self._add(batch, improvement)
        if self._summary.best is not None:
            trial = self._summary.best[0]
            batch.tags[BEST_TRIAL] = str(trial)
            for improvement in self._summary.improvements:  # what the best has not, a former best may have had
                names = self._summary.params.get(improvement.trial, {})
                batch.tags |= {BEST + self._summary.names[name]: "" for name in names}
            for name, param in self._summary.params.get(trial, {}).items():
                batch.tags[BEST + self._summary.names[name]] = text(param)
        elif self._summary.improvements:
            batch.tags[BEST_TRIAL] = ""  # the best one has come to another end
        if closed is not None:
            batch.tags[END] = closed.reason
            batch.tags[STATE] = "FINISHED" if closed.finished else "INTERRUPTED"
            batch.status = STATUS_OF_END[closed.finished]
            batch.status_time = closed.time
        return batch

    def arrived(self) -> None:
        """Know that what was due has arrived."""
        self._sent = self._pending
        self._improvements = self._pending[0]
        self._next = self._clock() + EVERY_S

    def _add(self, batch: Batch, improvement: Improvement) -> None:
        several = len(improvement.values) > 1
        names = ValidNames(f"best_objective/{metric}" for metric in improvement.values)
        for metric, value in improvement.values.items():
            name = names[f"best_objective/{metric}"] if several else "best_objective"
            if math.isfinite(value):
                batch.metric(name, value, improvement.time, improvement.finished)


LENGTH = 5000  # characters, of the 8000 that MLflow takes

NOTE_OF_EXPERIMENT = "Hyperparameter sweep "  # what ours begin with

_FRONT = 10  # trials of a Pareto front that are listed


def parent_description(summary: SweepSummary) -> str:
    """Return what a reader of the sweep's page wants to know first: how it stands, the best, how to go on."""
    opened = summary.opened
    if opened is None:
        return ""
    lines = [f"# {opened.name}", ""]
    if opened.description:
        lines += [opened.description.strip(), ""]
    lines += [_goals(opened), ""]
    lines += [*_counts(summary), "", *_best(summary), ""]
    lines += ["### Budget", "", "| setting | value |", "|---|---|"]
    lines += [f"| {key} | {_cell(str(value))} |" for key, value in opened.settings.items() if value is not None]
    lines += ["", "### Go on", "", *_commands(opened.name, summary), ""]
    return _with_space("\n".join(lines), opened)


def _counts(summary: SweepSummary) -> Iterator[str]:
    counts = summary.counts
    shown = [f"{counts[state]} {state.value.lower()}" for state in TrialState if counts[state]]
    yield f"**Trials:** {', '.join(shown) or 'none yet'}"
    if summary.closed is not None:
        how = "finished" if summary.closed.finished else "stopped, can be continued"
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(summary.closed.time))
        yield f"<br>**Ended:** {how}: {_cell(summary.closed.reason)} ({when})"


def _best(summary: SweepSummary) -> Iterator[str]:
    assert summary.opened is not None
    if summary.best is None:
        yield "No trial is complete yet."
        return
    if len(summary.opened.objectives) > 1:
        metrics = list(summary.opened.objectives)
        yield from ("**Best so far:** the trials that none is better than in every objective", "")
        yield from (f"| trial | {' | '.join(map(_cell, metrics))} |", "|---" * (len(metrics) + 1) + "|")
        for trial in summary.front[:_FRONT]:
            yield f"| {trial} | {' | '.join(f'{summary.values[trial][metric]:.6g}' for metric in metrics)} |"
        return
    trial, values = summary.best
    shown = ", ".join(f"{_span(metric)} {value:.6g}" for metric, value in values.items())
    if (repeats := summary.opened.settings.get("repeats", 1)) > 1:
        shown += f", the mean of {repeats} seeds"
    yield from (f"**Best so far:** trial {trial}, {shown}", "", "| parameter | value |", "|---|---|")
    for name, value in summary.params.get(trial, {}).items():
        shown = f"{value:.6g}" if isinstance(value, float) else text(value)
        yield f"| {_cell(name)} | {_cell(shown)} |"


def _commands(name: str, summary: SweepSummary) -> Iterator[str]:
    finished = summary.closed is not None and summary.closed.finished
    yield "```sh"
    if not finished:
        yield f"tuner resume {name}             # continue it where it was stopped"
    yield f"tuner show {name}               # its trials"
    if finished and summary.best is not None:
        yield f"tuner export {name} OUT_DIR     # the best one, for serving"
    yield f"tuner report {name}             # one page to mail"
    yield "```"


def describe_trial(summary: SweepSummary, record: TrialChanged, experiment_id: str, parent: str) -> str:
    """Return what a reader of a trial's page wants to know first: how it stands, whose it is, where to look."""
    opened = summary.opened
    if opened is None:
        return ""
    at = f" at step {record.step}" if record.step is not None else ""
    why = f": {_cell(record.reason)}" if record.reason else ""
    values = ", ".join(f"{_span(metric)} {value:.6g}" for metric, value in record.values.items())
    name = opened.name
    lines = [
        f"Trial {record.trial} of the sweep [{_cell(name)}]({view.run_page(experiment_id, parent)})"
        f" · [all trials]({view.trials_page(experiment_id)}) · [charts]({view.charts_page(experiment_id)})",
        f"**{record.state.value}**{at}{why}" + (f"<br>{values}" if values else ""),
        f"```sh\ntuner show {name}:{record.trial}\ntuner logs {name}:{record.trial}\n```",
    ]
    return "\n\n".join(lines)


def describe_experiment(opened: SweepOpened, experiment_id: str, parent: str) -> str:
    """Return what a reader of the experiment's page wants to know: what it is, and where its trials are seen."""
    lines = [
        NOTE_OF_EXPERIMENT + f"**{_cell(opened.name)}**: {_goals(opened)}",
        *([opened.description.strip()[:LENGTH]] if opened.description else []),
        f"- [all trials, the best first]({view.trials_page(experiment_id)})\n"
        f"- [charts of all trials]({view.charts_page(experiment_id)})\n"
        f"- [the sweep: best trial, budget, plots, report]({view.run_page(experiment_id, parent)})",
    ]
    return "\n\n".join(lines)


def _goals(opened: SweepOpened) -> str:
    return " · ".join(f"{goal} {_span(metric)}" for metric, goal in opened.objectives.items())


def _with_space(head: str, opened: SweepOpened) -> str:
    """Add the search space, cut if it would be too long."""
    room = LENGTH - len(head) - 120
    space = opened.space.rstrip()
    if len(space) > room:
        space = space[: max(0, room)].rpartition("\n")[0] + "\n# ... the rest is in search_space.yaml"
    return f"{head}\n### Search space\n\n{_code(space, 'yaml')}"[: LENGTH + 1000]


_MARKUP = re.compile(r"([\\`*\[\]!|~#$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def _cell(value: str) -> str:
    """Return text that Markdown shows as it is, on one line, also in a table."""
    plain = " ".join(value.split("\n")).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\1", plain)


def _code(text: str, kind: str = "") -> str:
    """Return text as a block of code, whatever backticks are in it."""
    fence = "`" * (1 + max(2, *map(len, re.findall("`+", text)), 2))
    return f"{fence}{kind}\n{text}\n{fence}"


def _span(text: str) -> str:
    """Return a name as a span of code, also in a table."""
    return f"`{text}`" if "`" not in text and "|" not in text and "\n" not in text else _cell(text)
