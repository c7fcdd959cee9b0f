"""Trials as series of a chart: by state, by value, as curves; and what is said of one in a hover box."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from tuner.domain.objective import Objective
from tuner.domain.trial import TrialRecord
from tuner.plots.chart import BLUE, GREY, ORANGE, SHADES, Series, is_drawable

MOST_BARS = 30
"""Of so many parameters at most something is said of each."""


def by_value(trials: Sequence[TrialRecord], objective: Objective) -> dict[str, tuple[list[TrialRecord], str]]:
    """Return complete trials in thirds by their objective, the worst first, each with its colour."""
    if len(trials) < 6:
        return {"complete": (list(trials), BLUE)}
    ranked = sorted(trials, key=lambda t: loss_of(t, objective))
    third = math.ceil(len(ranked) / 3)
    return {
        "complete: worst third": (ranked[2 * third :], SHADES[2]),
        "middle third": (ranked[third : 2 * third], SHADES[1]),
        "best third": (ranked[:third], SHADES[0]),
    }


def loss_of(trial: TrialRecord, objective: Objective) -> float:
    """Return what is less the better a trial is, infinite if it has no finite value."""
    return objective.goal.loss(trial.values[objective.metric]) if is_finite(trial, objective) else math.inf


STYLES = {"complete": (BLUE, "o", 6), "pruned": (ORANGE, "x", 5), "infeasible": (GREY, "x", 5)}
"""Colour, marker and size of the points of each of ``kinds``."""


def kinds(trials: Iterable[TrialRecord]) -> dict[str, list[TrialRecord]]:
    """Return complete trials, pruned ones, and those of either that break a constraint; without empty ones."""
    found: dict[str, list[TrialRecord]] = {kind: [] for kind in STYLES}
    for trial in trials:
        if (kind := trial.state.value.lower() if trial.feasible else "infeasible") in found:
            found[kind].append(trial)
    return {kind: members for kind, members in found.items() if members}


def by_kind(trials: Sequence[TrialRecord], objective: Objective) -> Iterator[Series]:
    """Yield the series of ``kinds``, each trial with its value at its number."""
    for kind, members in kinds(trials).items():
        color, marker, _ = STYLES[kind]
        xs = tuple(float(t.number) for t in members)
        ys = tuple(t.values[objective.metric] for t in members)
        yield Series(kind, xs, ys, tuple(map(hover_text, members)), color, marker)


def curves(name: str, trials: Iterable[TrialRecord], color: str, width: float, alpha: float) -> Series:
    """Return the curves of trials as one series."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    words: list[str] = []
    for trial in trials:
        for step, value in trial.curve.items():
            xs.append(float(step))
            ys.append(value if is_drawable(value) else None)
            words.append(f"trial {trial.number}, step {step}: {value:.6g}")
        xs.append(None)
        ys.append(None)
        words.append("")
    marker = "o" if len(xs) <= 2 * len([x for x in xs if x is None]) else ""  # a line of one point is not seen
    return Series(name, tuple(xs), tuple(ys), tuple(words), color, marker, "-", width, alpha, 4.0)


def hover_text(trial: TrialRecord, names: Iterable[str] | None = None) -> str:
    """Return a trial in the lines of a hover box; of its parameters those that are named, or not too many."""
    shown = [f"trial {trial.number}: {trial.state.value}" + ("" if trial.feasible else ", infeasible")]
    shown += [f"{name} {value:.6g}" for name, value in trial.values.items()]
    listed = itertools.islice(trial.params, MOST_BARS) if names is None else (n for n in names if n in trial.params)
    shown += [_pair(name, trial.params[name]) for name in listed]
    return "<br>".join(shown)


def _pair(name: str, value: object) -> str:
    return f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"


def is_finite(trial: TrialRecord, objective: Objective) -> bool:
    """Whether a trial has a value of an objective that an axis can show."""
    return is_drawable(trial.values.get(objective.metric))
