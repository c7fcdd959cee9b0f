"""One page of a sweep that can be mailed: how it ended, the best, charts, every trial, the search space."""

from __future__ import annotations

import html
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.domain.objective import Objective
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.plots.axes import varying
from tuner.plots.chart import Chart, Parallel
from tuner.plots.html_page import chart_part, page
from tuner.plots.html_table import definitions, table
from tuner.text import counted

MOST_ROWS = 1_000


def report(
    spec: SweepSpec,
    trials: Sequence[TrialRecord],
    charts: Sequence[Chart | Parallel],
    best: Sequence[int],
    facts: Mapping[str, Any],
) -> str:
    """Return the page.

    Args:
        spec: The sweep.
        trials: Its trials.
        charts: What is drawn of it.
        best: Number of the best trial; of the Pareto front if there are several objectives.
        facts: Versions, commit, command: whatever helps to repeat it.
    """
    body = [*_head(spec, trials, best)]
    body += [chart_part(chart) for chart in charts]
    body += ["<h2>Trials</h2>", *_table_of(spec, trials, best), "<h2>Search space</h2>"]
    body.append(f"<pre>{html.escape(spec.source.rstrip())}</pre>")
    if facts:
        body += ["<h2>To repeat it</h2>", definitions(facts)]
    return page(f"{spec.name}: a sweep of {counted(len(trials), 'trial')}", body, charts=bool(charts))


def _head(spec: SweepSpec, trials: Sequence[TrialRecord], best: Sequence[int]) -> Iterator[str]:
    counts = Counter(trial.state for trial in trials)
    states = ", ".join(f"{counts[state]} {state.value.lower()}" for state in TrialState if counts[state])
    goals = ", ".join(f"{o.goal.value} {o.metric}" for o in spec.objectives)
    yield f"<h1>{html.escape(spec.name)}</h1>"
    if spec.description:
        yield f"<p>{html.escape(spec.description.strip())}</p>"
    started = min((t.started for t in trials if t.started), default=0.0)
    ended = max((t.ended for t in trials if t.ended), default=0.0)
    when = f", {time.strftime('%Y-%m-%d %H:%M', time.localtime(started))}" if started else ""
    yield (
        f'<p class="quiet">{html.escape(goals)} · {len(trials)} of {spec.search.trials} trials: {states or "none"} · '
        f"{spec.search.sampler.name}, {spec.search.scheduler.name}, seed {spec.search.seed}{when}"
        f"{f', {_span(ended - started)}' if ended > started else ''}</p>"
    )
    by_number = {trial.number: trial for trial in trials}
    winners = [by_number[number] for number in best if number in by_number]
    if not winners:
        yield "<p>No trial is complete.</p>"
    elif len(spec.objectives) == 1:
        values = ", ".join(f"{metric} {value:.6g}" for metric, value in winners[0].values.items())
        yield f"<h2>Best: trial {winners[0].number}, {html.escape(values)}</h2>"
        yield definitions(winners[0].params)
    else:
        yield "<h2>The trials that none is better than in every objective</h2>"
        yield _trials(spec, winners, ())


def _table_of(spec: SweepSpec, trials: Sequence[TrialRecord], best: Sequence[int]) -> Iterator[str]:
    """Yield the table of the trials; of very many the best, so that the page can be mailed and scrolled."""
    if len(trials) > MOST_ROWS:
        objective = spec.objectives[0]
        ranked = sorted(trials, key=lambda t: (t.number not in best, *_rank(t, objective)))
        trials = sorted(ranked[:MOST_ROWS], key=lambda t: t.number)
        command = f"tuner show {spec.name} --format csv"
        yield f"<p>The best {MOST_ROWS} of {len(ranked)}; all: <code>{html.escape(command)}</code></p>"
    yield _trials(spec, trials, best)


def _rank(trial: TrialRecord, objective: Objective) -> tuple[bool, float]:
    value = trial.values.get(objective.metric, math.nan)
    return trial.state is not TrialState.COMPLETE, objective.goal.loss(value) if math.isfinite(value) else math.inf


def _trials(spec: SweepSpec, trials: Sequence[TrialRecord], best: Sequence[int]) -> str:
    names = varying(trials) if len(trials) > 1 else []
    rows = [
        {
            "trial": t.number,
            "state": t.state.value,
            **dict(t.values),
            "step": t.step,
            "seconds": round(t.seconds, 1),
            **{name: t.params.get(name) for name in names},
            "why": t.reason,
        }
        for t in trials
    ]
    metrics = [objective.metric for objective in spec.objectives]
    columns = ["trial", "state", *metrics, "step", "seconds", *names, "why"]
    marked = [index for index, t in enumerate(trials) if t.number in best]
    return table(rows, list(dict.fromkeys(columns)), marked)


def _span(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
