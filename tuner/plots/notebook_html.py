"""A sweep as a notebook shows it: small HTML, without scripts."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tuner.domain.objective import comparable
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.plots.axes import varying
from tuner.plots.html_table import cell
from tuner.text import counted

_SHOWN = 20


def result_html(spec: SweepSpec, trials: Sequence[TrialRecord], best: Sequence[int]) -> str:
    """Return the sweep's counts and its trials, the best first; a long table is cut."""
    counts = Counter(trial.state for trial in trials)
    states = ", ".join(f"{counts[state]} {state.value.lower()}" for state in TrialState if counts[state]) or "none"
    objective = spec.objectives[0]
    ordered = sorted(
        trials,
        key=lambda t: (
            t.number not in best,
            t.state is not TrialState.COMPLETE,
            comparable([objective.goal.loss(t.values.get(objective.metric, objective.goal.worst))]),
        ),
    )
    names = varying(trials) if len(trials) > 1 else list(trials[0].params) if trials else []
    columns = ["trial", "state", *(o.metric for o in spec.objectives), "step", "seconds", *names]
    heads = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    rows = []
    for t in ordered[:_SHOWN]:
        values: list[Any] = [t.number, t.state.value, *(t.values.get(o.metric) for o in spec.objectives)]
        values += [t.step, round(t.seconds, 1), *(t.params.get(name) for name in names)]
        style = ' style="font-weight: bold"' if t.number in best else ""
        rows.append(f"<tr{style}>{''.join(map(cell, values))}</tr>")
    more = f"<p>and {len(trials) - _SHOWN} more</p>" if len(trials) > _SHOWN else ""
    return (
        f"<p><b>{html.escape(spec.name)}</b>: {counted(len(trials), 'trial')} ({states})</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"
    )
