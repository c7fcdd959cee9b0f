"""The description of a sweep's run, in Markdown, for MLflow's page of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.records import SweepOpened


def describe_sweep(
    opened: SweepOpened, best: tuple[int, Mapping[str, float]] | None, params: Mapping[int, Mapping[str, Any]]
) -> str:
    """Return what a reader of the sweep's page wants to know first.

    Args:
        opened: The sweep.
        best: Number of the best trial and its objectives, or None.
        params: Parameters of each trial.
    """
    lines = [f"# {opened.name}", ""]
    lines += [f"Objective: {goal} `{metric}`" for metric, goal in opened.objectives.items()]
    if best is None:
        lines += ["", "No trial is complete yet."]
    else:
        trial, values = best
        shown = ", ".join(f"`{metric}` {value:.6g}" for metric, value in values.items())
        lines += ["", f"**Best so far:** trial {trial}, {shown}", "", "| parameter | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in params.get(trial, {}).items()]
    lines += ["", "| setting | value |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in opened.settings.items()]
    lines += [
        "",
        f"Continue it with `tuner resume {opened.name}`, see its trials with `tuner show {opened.name}`.",
    ]
    lines += ["", "```yaml", opened.space.rstrip(), "```"]
    return "\n".join(lines)[:5000]
