"""What is read from a results folder, and how a trial's reports become its values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.domain.objective import Constraint, Goal, Objective
from tuner.errors import InvalidInput

FLAG = "--from"


@dataclass(frozen=True)
class Results:
    """The finished trials of another tool's experiment.

    Attributes:
        format: The tool, ``Ray Tune``.
        trials: Parameters, nested ones with a dot between, and metric to value, of each trial.
        notes: What was left out, a line each.
    """

    format: str
    trials: tuple[tuple[Mapping[str, Any], Mapping[str, float]], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reported:
    """One trial as its folder has it.

    Attributes:
        length: How long it trained, in the tool's own measure.
        stopped: Whether it ended otherwise than by itself or at that measure's end.
        curves: Metric to its values, in order.
    """

    params: Mapping[str, Any]
    curves: Mapping[str, Sequence[float]]
    length: float = 0
    stopped: bool = False


def results_of(
    format_name: str,
    reported: Sequence[Reported],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    failed: int = 0,
) -> Results:
    """Return those trials that ran to their end and reported the objectives.

    A trial that a scheduler stopped has a value of an earlier step than the others; it is left out, as
    a pruned one of a sweep is. What is no finite number by its rule is no value.

    Raises:
        InvalidInput: No trial has an objective.
    """
    longest = max((trial.length for trial in reported), default=0)
    whole = [trial for trial in reported if not (trial.stopped and trial.length < longest)]
    metrics = sorted({metric for trial in reported for metric in trial.curves})
    missing = [o.metric for o in objectives if not any(trial.curves.get(o.metric) for trial in reported)]
    if missing:
        there = ", ".join(metrics) or "none"
        raise InvalidInput(FLAG, f"no trial of {format_name} has reported {', '.join(missing)}; reported were: {there}")
    found = [
        (trial.params, _values(trial.curves, objectives, constraints))
        for trial in whole
        if all(trial.curves.get(o.metric) for o in objectives)
    ]
    notes = {
        "failed or did not finish": failed,
        "were stopped early": len(reported) - len(whole),
        "have no objective": len(whole) - len(found),
    }
    lines = [f"{count} of {format_name} {what}" for what, count in notes.items() if count]
    return Results(format_name, tuple(found), tuple(lines))


def _values(
    curves: Mapping[str, Sequence[float]], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> dict[str, float]:
    limits = {c.metric: c.value(curves[c.metric]) for c in constraints if curves.get(c.metric)}
    found = {**limits, **{o.metric: o.of.value(curves[o.metric], o.goal) for o in objectives}}
    return {metric: value for metric, value in found.items() if math.isfinite(value)}


def check_goal(metric: str, goal: Goal, theirs: str) -> None:
    """Refuse results whose objective goes the other way.

    Args:
        metric: Of the sweep's objective.
        goal: Its goal.
        theirs: ``min`` or ``max``; anything else says nothing.

    Raises:
        InvalidInput: It is the other one.
    """
    if theirs in ("min", "max") and theirs != goal.value[:3]:
        raise InvalidInput(FLAG, f"{metric} is to {theirs}imize there, expected to {goal.value} it")


def read_json(file: Path) -> Any:
    """Return what a JSON file holds; None if it cannot be read or was cut off."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def flat(values: Mapping[str, Any], between: str, prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as one, the keys joined."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= flat(value, between, f"{name}{between}") if isinstance(value, Mapping) else {name: value}
    return found


def is_number(value: Any, finite: bool = True) -> bool:
    """Whether a value is a number, a finite one if it has to be."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and (not finite or math.isfinite(value))
