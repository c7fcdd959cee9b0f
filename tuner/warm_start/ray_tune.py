"""Ray Tune: a folder for each trial with ``params.json`` and the reports in ``result.json``, a line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner.domain.objective import Constraint, Objective
from tuner.warm_start.base import Reported, Results, flat, is_number, read_json, results_of

NAME = "Ray Tune"


def read(folder: Path, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()) -> Results | None:
    """Return the finished trials of an experiment of Ray Tune; None if the folder is none.

    Metrics that were reported nested have their keys joined by ``/``, as in Ray's own tables.

    Raises:
        InvalidInput: No trial reported an objective.
    """
    places = sorted(path.parent for path in folder.glob("*/params.json") if (path.parent / "result.json").is_file())
    if not places:
        return None
    states = _states(folder)
    reported, failed = [], 0
    for place in places:
        rows = _rows(place / "result.json")
        state = states.get(place.name, "")
        if state not in ("", "TERMINATED") or (place / "error.txt").exists():
            failed += 1
        elif rows:
            reported.append(_reported(place, rows))
    return results_of(NAME, reported, objectives, constraints, failed)


def _reported(place: Path, rows: Sequence[dict[str, Any]]) -> Reported:
    params = read_json(place / "params.json")
    params = params if isinstance(params, dict) else rows[-1].get("config", {})
    curves: dict[str, list[float]] = {}
    for row in rows:
        metrics = flat({key: value for key, value in row.items() if key != "config"}, "/")
        for name, value in metrics.items():
            if is_number(value, finite=False):
                curves.setdefault(name, []).append(float(value))
    return Reported(
        params=flat(params, "."),
        curves=curves,
        length=rows[-1].get("training_iteration", len(rows)),
        # A function that returned by itself has no last report that says so.
        stopped=bool(rows[-1].get("done")),
    )


def _rows(file: Path) -> list[dict[str, Any]]:
    """Return a trial's reports; one that was cut off is passed over."""
    found = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _states(folder: Path) -> dict[str, str]:
    """Return each trial's folder with its status, from the newest state of the experiment."""
    files = sorted(folder.glob("experiment_state-*.json"))
    data = read_json(files[-1]) if files else None
    found = {}
    for entry in data.get("trial_data", ()) if isinstance(data, dict) else ():
        try:
            state = json.loads(entry[0]) if isinstance(entry[0], str) else entry[0]
            found[str(state["relative_logdir"])] = str(state["status"])
        except (ValueError, KeyError, TypeError, IndexError):
            continue
    return found
