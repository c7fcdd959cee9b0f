"""What is said of an objective or a constraint that never came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.text import suggestion


def missing_objective(
    metrics: Sequence[str], tags: Sequence[str], what: str = "objective", unwritten: Mapping[str, str] | None = None
) -> str:
    """Say that no evaluation had these metrics, which tags there are, and which is nearest.

    Args:
        metrics: Those that did not come.
        tags: Those that did.
        what: Whether objectives or constraints are on them.
        unwritten: Tag to type and shape of what was evaluated and is no scalar of the event files.
    """
    lines = [_unwritten(metric, unwritten[metric], what) for metric in metrics if unwritten and metric in unwritten]
    never = [metric for metric in metrics if not unwritten or metric not in unwritten]
    wanted = ", ".join(map(repr, never))
    if never and not tags:
        lines.append(f"the {what} {wanted} never came: no evaluation wrote a scalar")
    elif never:
        hint = next((f"; {hint}" for metric in never if (hint := suggestion(metric, tags))), "")
        lines.append(f"the {what} {wanted} never came; tags that are there: {', '.join(tags)}{hint}")
    return "; ".join(lines)


def _unwritten(metric: str, kind: str, what: str) -> str:
    """Say that a metric was evaluated as something that an Estimator writes as no scalar, and what to do."""
    remedy = "cast it to a float32 in eval_metric_ops, as by tf.cast(value, tf.float32)"
    if kind.startswith("string"):
        remedy = "let its operation in eval_metric_ops return a number"
    elif " of shape " in kind:
        remedy = "reduce it to one number in eval_metric_ops, as by tf.reduce_mean"
    return f"the {what} {metric!r} was evaluated, as {kind}, which an Estimator writes as no scalar: {remedy}"
