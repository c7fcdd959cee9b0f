"""The ``constraints`` of a search space file: bounds on evaluation metrics.

constraints: {latency_ms: {max: 5}, recall: {min: 0.8, of: best}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuner.errors import Problem
from tuner.values import Constraint, Curve, Objective


def read_constraints(value: Any, objectives: Sequence[Objective], problems: list[Problem]) -> tuple[Constraint, ...]:
    """Return the constraints that the mapping holds, whose shape is right; mistakes go to ``problems``."""
    found = []
    metrics = [objective.metric for objective in objectives]
    for metric, entry in (value or {}).items():
        where, low, high = f"constraints.{metric}", entry.get("min"), entry.get("max")
        if low is None and high is None:
            problems.append(Problem(where, "has no bound, expected max, min or both"))
        elif low is not None and high is not None and low > high:
            problems.append(Problem(where, f"min ({low}) is above max ({high}), so no trial is feasible"))
        if metric in metrics:
            problems.append(
                Problem(where, "is an objective, too", "a budget's target says when an objective is good enough")
            )
        of = entry.get("of", "last")
        curve = Curve("mean", of["mean"]) if isinstance(of, dict) else Curve(of)
        found.append(Constraint(str(metric), low, high, curve))
    return tuple(found)
