"""The simulation of a search space file: where learning curves come from, how workers behave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.durations import parse_duration
from tuner.errors import Problem
from tuner.spacefile.text import near
from tuner.spec import SearchSettings, Simulation

TASKS = ("surface",)


def read_simulation(value: Mapping[str, Any] | None, folder: Path, problems: list[Problem]) -> Simulation | None:
    """Return the simulation that a file describes, or None where it describes none.

    Args:
        value: The mapping, whose keys and types have been found right.
        folder: Where the table of curves is looked for.
        problems: Takes the mistakes.
    """
    if value is None:
        return None
    curves, task = value.get("curves"), value.get("task")
    if (curves is None) == (task is None):
        found = "both are there" if curves is not None else "neither is there"
        problems.append(Problem("simulation", f"expected one of curves (a table's file) and task, {found}"))
        return None
    if task is not None and task not in TASKS:
        problems.append(
            Problem("simulation.task", f"unknown task {task!r}, expected {', '.join(TASKS)}", near(task, list(TASKS)))
        )
    file = Path(os.path.normpath((folder / curves).absolute())) if curves is not None else None
    if file is not None and not file.is_file():
        problems.append(
            Problem("simulation.curves", f"no such file {str(file)!r}", "tuner curves NAME FILE writes one")
        )
    stragglers = value.get("stragglers") or {}
    return Simulation(
        curves=str(file) if file else "",
        task=task or "",
        neighbours=value.get("neighbours", 1),
        noise=float(value.get("noise", 0.0)),
        seconds_per_step=float(value.get("seconds_per_step", 0.01)),
        startup_s=_seconds(value.get("startup")),
        reaction_s=_seconds(value.get("reaction")),
        straggler_share=float(stragglers.get("share", 0.0)),
        straggler_factor=float(stragglers.get("factor", 5.0)),
        failures=float(value.get("failures", 0.0)),
        event_files=value.get("event_files", False),
        record=value.get("record", True),
    )


def check_simulation(simulation: Simulation | None, search: SearchSettings) -> list[Problem]:
    """Return what contradicts the search."""
    if simulation is None or not simulation.curves or search.scheduler.name != "pbt":
        return []
    return [
        Problem(
            "simulation.curves",
            "do not say what comes of parameters that change during training, as scheduler pbt changes them",
            "give a task instead",
        )
    ]


def _seconds(duration: Any) -> float:
    return 0.0 if duration is None else parse_duration(duration)
