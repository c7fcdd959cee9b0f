"""What comes out of a trial's curves by the rules of its sweep: objectives, constraints, feasibility."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tuner.spec import SweepSpec
from tuner.study import FEASIBLE, TrialRecord
from tuner.values import Constraint, Objective, TrialState

Curves = Mapping[str, Mapping[int, float]]
"""Metric to global step to value."""


def objective_values(objectives: Iterable[Objective], curves: Curves) -> dict[str, float]:
    """Return each objective by its rule from the curves of its metric; empty if one has no evaluation."""
    values = {}
    for objective in objectives:
        curve = curves.get(objective.metric, {})
        if not curve:
            return {}
        values[objective.metric] = objective.of.value([curve[step] for step in sorted(curve)], objective.goal)
    return values


def constraint_values(constraints: Iterable[Constraint], curves: Curves) -> dict[str, float]:
    """Return what counts of each constraint's metric; without those that have no evaluation."""
    found = {}
    for constraint in constraints:
        curve = curves.get(constraint.metric, {})
        if curve:
            found[constraint.metric] = constraint.value([curve[step] for step in sorted(curve)])
    return found


def judged(record: TrialRecord, spec: SweepSpec) -> TrialRecord:
    """Return a trial that settles with what its constraints say of it, as a tag and in its reason."""
    if not spec.constraints or record.state is TrialState.FAIL:
        return record
    values = constraint_values(spec.constraints, record.others)
    if len(values) < len(spec.constraints):
        return record
    broken = [f"{c.metric} {values[c.metric]:.6g}, {c}" for c in spec.constraints if c.violation(values[c.metric]) > 0]
    reason = "; ".join(filter(None, (record.reason, f"infeasible: {'; '.join(broken)}" if broken else "")))
    tags = {**record.tags, FEASIBLE: str(not broken).lower()}
    return replace(record, constraints=values, reason=reason, tags=tags)
