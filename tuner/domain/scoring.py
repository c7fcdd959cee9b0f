"""What comes out of a trial's curves by the rules of its sweep: objectives, constraints, feasibility."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import FEASIBLE
from tuner.domain.trial import TrialRecord, TrialState

INFEASIBLE = 1e300
"""Least loss of what breaks a constraint, behind all that keeps to them; it grows with how far that is, to twice it."""

Curves = Mapping[str, Mapping[int, float]]
"""Metric to global step to value."""


def curves_of(record: TrialRecord, objectives: Sequence[Objective]) -> Curves:
    """Return the curves of a trial of a sweep with these objectives."""
    return {objectives[0].metric: record.curve, **record.others}


def objective_values(objectives: Iterable[Objective], curves: Curves) -> dict[str, float]:
    """Return each objective by its rule from the curves of its metric; empty if one has no evaluation."""
    values = {}
    for objective in objectives:
        curve = curves.get(objective.metric, {})
        if not curve:
            return {}
        values[objective.metric] = objective.of.value([curve[step] for step in sorted(curve)], objective.goal)
    return values


def losses_at(
    objectives: Iterable[Objective], curves: Curves, step: int, constraints: Iterable[Constraint] = ()
) -> list[float]:
    """Return each objective's loss (lower is better) as it stood at an evaluation, by the objective's own rule.

    A scheduler that judged by single evaluations would stop a trial for noise that ``mean`` averages out, or for
    a dip that ``best`` forgives.

    Args:
        objectives: In the sweep's order.
        curves: Of their metrics.
        step: Global step at which all of them have a value.
        constraints: If one of them is broken as of that step, all losses are ``infeasible_loss``.
    """
    beyond = math.fsum(_beyond(constraint, curves.get(constraint.metric, {}), step) for constraint in constraints)
    if beyond > 0:
        return [infeasible_loss(beyond) for _ in objectives]
    losses = []
    for objective in objectives:
        curve = curves[objective.metric]
        value = curve[step]
        if objective.of.rule != "last":
            value = objective.of.value([curve[at] for at in sorted(curve) if at <= step], objective.goal)
        losses.append(objective.goal.loss(value))
    return losses


def infeasible_loss(beyond: float) -> float:
    """Return the loss of what is beyond its constraints by so much in all.

    The one that is nearest to keeping them is the best of those that do not: Deb, "An efficient constraint handling
    method for genetic algorithms", Computer Methods in Applied Mechanics and Engineering 186 (2000).
    """
    return INFEASIBLE * (2.0 - 1.0 / (1.0 + beyond))


def _beyond(constraint: Constraint, curve: Mapping[int, float], step: int) -> float:
    """Return by how much a constraint is broken as of a step; 0 if it is kept or was not evaluated yet."""
    shown = [curve[at] for at in sorted(curve) if at <= step]
    return max(0.0, constraint.violation(constraint.value(shown))) if shown else 0.0


def constraint_values(constraints: Iterable[Constraint], curves: Curves) -> dict[str, float]:
    """Return what counts of each constraint's metric; without those that have no evaluation."""
    found = {}
    for constraint in constraints:
        curve = curves.get(constraint.metric, {})
        if curve:
            found[constraint.metric] = constraint.value([curve[step] for step in sorted(curve)])
    return found


def with_constraints(record: TrialRecord, spec: SweepSpec) -> TrialRecord:
    """Return a trial that finishes with what its constraints say of it, as a tag and in its reason."""
    if not spec.constraints or record.state is TrialState.FAIL:
        return record
    values = constraint_values(spec.constraints, record.others)
    if len(values) < len(spec.constraints):
        return record
    broken = [f"{c.metric} {values[c.metric]:.6g}, {c}" for c in spec.constraints if c.violation(values[c.metric]) > 0]
    reason = "; ".join(filter(None, (record.reason, f"infeasible: {'; '.join(broken)}" if broken else "")))
    tags = {**record.tags, FEASIBLE: str(not broken).lower()}
    return replace(record, constraints=values, reason=reason, tags=tags)
