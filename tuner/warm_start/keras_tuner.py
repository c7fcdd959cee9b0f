"""Keras Tuner: ``oracle.json``, and a folder for each trial with ``trial.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.domain.objective import Constraint, Objective
from tuner.warm_start.base import Reported, Results, check_goal, is_number, read_json, results_of

NAME = "Keras Tuner"
_INTERNAL = "tuner/"  # what Hyperband keeps among the hyperparameters


def read(folder: Path, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()) -> Results | None:
    """Return the finished trials of a project of Keras Tuner; None if the folder is none.

    A metric is looked for as ``val_METRIC`` first, which is what Keras calls an evaluation's.

    Args:
        folder: A project's, or the one around it if it holds one.
        objectives: Of the sweep.
        constraints: Of the sweep.

    Raises:
        InvalidInput: No trial reported an objective, or it goes the other way.
    """
    if not (folder / "oracle.json").is_file():
        inner = [path.parent for path in folder.glob("*/oracle.json")]
        if len(inner) != 1:
            return None
        (folder,) = inner
    reported, failed = [], 0
    for file in sorted(folder.glob("trial_*/trial.json")):
        trial = read_json(file)
        if not isinstance(trial, dict) or trial.get("status") != "COMPLETED":
            failed += 1
            continue
        reported.append(_reported(trial, objectives, constraints))
    return results_of(NAME, reported, objectives, constraints, failed)


def _reported(trial: Mapping[str, Any], objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> Reported:
    values = (trial.get("hyperparameters") or {}).get("values") or {}
    metrics = (trial.get("metrics") or {}).get("metrics") or {}
    curves = {str(name): _curve(history) for name, history in metrics.items()}
    for objective in objectives:
        name = f"val_{objective.metric}"
        name = name if name in metrics else objective.metric
        if name in metrics:
            check_goal(name, objective.goal, str(metrics[name].get("direction")))
            curves[objective.metric] = curves[name]
    for constraint in constraints:
        if (name := f"val_{constraint.metric}") in metrics:
            curves[constraint.metric] = curves[name]
    epochs: Any = values.get("tuner/epochs")
    return Reported(
        params={name: value for name, value in values.items() if not str(name).startswith(_INTERNAL)},
        curves=curves,
        length=float(epochs) if is_number(epochs) else 0,
        stopped=is_number(epochs),
    )


def _curve(history: Mapping[str, Any]) -> list[float]:
    """Return a metric's values in the order of their steps, the mean if a trial was executed more than once."""
    observations = sorted(history.get("observations") or (), key=lambda observation: observation.get("step", 0))
    found = []
    for observation in observations:
        numbers = [float(value) for value in observation.get("value") or () if is_number(value, finite=False)]
        if numbers:
            found.append(sum(numbers) / len(numbers))
    return found
