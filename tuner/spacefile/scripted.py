"""What a sweep of commands cannot do that one of models can."""

from __future__ import annotations

from tuner.errors import Problem
from tuner.spec import SearchSettings, TrainSettings

_WITH_RUNGS = ("asha", "asha_stopping", "hyperband", "pbt")


def check_scripted(train: TrainSettings, search: SearchSettings, problems: list[Problem]) -> None:
    """Add what contradicts itself where trials are commands."""
    name = search.scheduler.name
    missing = [f"train.{key}" for key in ("max_steps", "evaluate_every") if getattr(train, key) is None]
    if name in _WITH_RUNGS and missing:
        problems.append(
            Problem(
                "search.scheduler",
                f"{name} judges trials at steps from evaluate_every to max_steps, and there is no "
                f"{' and no '.join(missing)}",
                "add it, in the steps of the command's events, or use median, percentile, patience or none",
            )
        )
