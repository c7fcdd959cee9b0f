"""Warm start: finished trials of earlier sweeps, of other tools and of tables, frozen with the sweep.

``read_source`` reads them once, when the sweep is made; from then on they stand in the sweep's folder,
so that a resumed sweep learns from the same ones whatever became of the others.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from tuner.config.manifest import read_manifest
from tuner.domain.objective import Objective
from tuner.domain.repeats import first_of, groups_of
from tuner.domain.scoring import constraint_values, curves_of
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import FinishedTrial, Source, TrialRecord, TrialState
from tuner.errors import InvalidInput, Problem
from tuner.files.atomic import write_whole
from tuner.files.beside import near_path
from tuner.files.lines import read_lines
from tuner.files.paths import Root, SweepDir
from tuner.hiding import hidden
from tuner.records.trials import LoggedTrial, first_opening, logged_trials
from tuner.study import read_trials
from tuner.study.external import read_foreign
from tuner.text import from_csv_text, suggestion

FLAG = "--from"
_PATH = re.compile(r"[^A-Za-z0-9_.\-]|^[^A-Za-z0-9]")  # of what is no file: no sweep is called so
_TAKES = (
    "the name of a sweep under the root, the URL of an Optuna storage, an Optuna journal, a sweep's curves.jsonl, "
    "a CSV table, or a results folder of Ray Tune or Keras Tuner"
)
_PREFIXES = {
    "params": ("params.", "params_", "param_"),
    "values": ("values.", "values_", "eval/", "constraints.", "constraints_"),
}
_STATE_COLUMNS = ("state", "status")
_OTHERS = (*_STATE_COLUMNS, "feasible", "trial", "number", "reason", "step", "seconds", "run_id", "trial_dir")
_COMPLETE = ("COMPLETE", "FINISHED", "TERMINATED", "SUCCEEDED", "")


def read_source(given: str, root: Root, spec: SweepSpec) -> Source:
    """Read the finished trials that ``--from`` names.

    Args:
        given: A sweep under ``root``, the URL of an Optuna storage (``URL#STUDY`` if it has
            several), an Optuna journal file, a results folder of Ray Tune or Keras Tuner, the
            ``curves.jsonl`` of a sweep whose study is lost, or a CSV file: one row a trial, a column for each
            parameter (``units``, ``params.units`` or ``params_units``), objective, and metric of a constraint.
        root: Where sweeps are.
        spec: The sweep that is to learn from them.

    Raises:
        InvalidInput: It is none of these, or has another objective.
        StoreError: It cannot be read.
    """
    notes: tuple[str, ...] = ()
    if "://" in given or given.partition("#")[0].endswith((".journal", ".db")):
        trials = read_foreign(given, spec.objectives, spec.constraints)
    elif given.endswith(".jsonl") and Path(given).is_file():
        trials = _read_log(Path(given), spec)
    elif given.endswith(".csv") or Path(given).is_file():
        trials = _read_table(Path(given), spec)
    elif Path(given).is_dir() and given not in {sweep_dir.name for sweep_dir in root.sweeps()}:
        return _read_folder(given, spec)
    elif _PATH.search(given):
        found = f"found no file or folder {hidden(given)!r}, nor can it name a sweep"
        raise InvalidInput(FLAG, [Problem("", found, near_path(Path(given)) or f"it takes {_TAKES}")])
    else:
        trials, notes = _read_sweep(given, root, spec)
    if not trials:
        raise InvalidInput(FLAG, f"{hidden(given)} has no complete trial with an objective")
    return Source(hidden(given), tuple(trials), notes)  # its name is written into the sweep's folder and sent to MLflow


def write_sources(sweep_dir: SweepDir, sources: Iterable[Source]) -> None:
    """Freeze finished trials with the sweep."""
    lines = [
        json.dumps({"from": source.name, "params": dict(trial.params), "values": dict(trial.values)})
        for source in sources
        for trial in source.trials
    ]
    lines += [json.dumps({"from": source.name, "notes": source.notes}) for source in sources if source.notes]
    if lines:
        write_whole(sweep_dir.earlier_file, "\n".join(lines) + "\n")
    else:
        sweep_dir.earlier_file.unlink(missing_ok=True)  # of a driver that died before the sweep was made


def frozen_sources(sweep_dir: SweepDir) -> list[Source]:
    """Return the finished trials that were frozen with the sweep.

    Raises:
        StoreError: The file is damaged.
    """
    found: dict[str, list[FinishedTrial]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for line in read_lines(sweep_dir.earlier_file):
        data = line.mapping() or {}
        name, params, values = data.get("from"), data.get("params"), data.get("values")
        if isinstance(name, str) and isinstance(data.get("notes"), list):
            notes[name] = tuple(map(str, data["notes"]))
        elif isinstance(name, str) and isinstance(params, dict) and isinstance(values, dict):
            found.setdefault(name, []).append(FinishedTrial(params, values))
        else:
            hint = "put the file back from a copy, or take it away: the sweep then learns nothing from there"
            raise line.damage("a finished trial of another sweep", hint)
    return [Source(hidden(name), tuple(trials), notes.get(name, ())) for name, trials in found.items()]


def sources_of(sweep_dir: SweepDir, given: Sequence[str], spec: SweepSpec) -> list[Source]:
    """Return what a sweep learns from: read now if it is new, as it was frozen if it is there.

    Raises:
        InvalidInput: A source is none, or the sweep is there and was made with others.
        StoreError: A source cannot be read.
    """
    if not sweep_dir.spec_file.exists():
        return [read_source(name, sweep_dir.root, spec) for name in dict.fromkeys(given)]
    frozen = frozen_sources(sweep_dir)
    names = [source.name for source in frozen]
    if given and list(dict.fromkeys(map(hidden, given))) != names:
        was = f"was made with --from {', '.join(names)}" if names else "was made without it"
        raise InvalidInput(
            FLAG, [Problem("", f"the sweep {spec.name!r} is there and {was}", "give this one another name with --name")]
        )
    return frozen


def _read_folder(given: str, spec: SweepSpec) -> Source:
    from tuner.warm_start import read_results  # only if a sweep is made that learns from such a folder

    results = read_results(Path(given), spec.objectives, spec.constraints)
    if results is None:
        raise InvalidInput(
            FLAG,
            f"{given} is a folder, and holds results of neither Ray Tune nor Keras Tuner",
        )
    trials = tuple(FinishedTrial(params, values) for params, values in results.trials)
    if not trials:
        raise InvalidInput(FLAG, f"{given} has no complete trial with an objective; {'; '.join(results.notes)}")
    return Source(given, trials, results.notes)


def _read_sweep(name: str, root: Root, spec: SweepSpec) -> tuple[list[FinishedTrial], tuple[str, ...]]:
    """Return the complete trials of a sweep, and how many others it has, in words."""
    frozen = read_manifest(root.sweep(name))
    goals = {objective.metric: objective.goal.value for objective in frozen.spec.objectives}
    _check_goals(f"the sweep {name!r}", goals, spec.objectives)
    records = read_trials(root.sweep(name), frozen.spec, frozen.storage_url)
    complete = [record for record in records if record.state is TrialState.COMPLETE and record.values]
    limits = {
        record.number: constraint_values(spec.constraints, curves_of(record, frozen.spec.objectives))
        for record in complete
    }
    others = Counter(record.state.value for record in records if record.state is not TrialState.COMPLETE)
    notes = tuple(f"{count} {state} there, which say nothing of the end" for state, count in sorted(others.items()))
    if frozen.spec.search.repeats > 1:
        return _means(records, frozen.spec, limits), notes
    return [FinishedTrial(r.params, _finite({**limits[r.number], **r.values})) for r in complete], notes


def _read_log(file: Path, spec: SweepSpec) -> list[FinishedTrial]:
    """Return the complete trials of a record log; those that repeat others as one, with their mean."""
    opening = first_opening(file)
    if opening is None:
        raise InvalidInput(FLAG, f"{file} holds no records of a sweep, expected its curves.jsonl")
    _check_goals(f"the sweep of {file}", opening.objectives, spec.objectives)
    found = logged_trials(file, [constraint.metric for constraint in spec.constraints])
    groups: dict[int, list[LoggedTrial]] = {}
    for trial in found:
        if trial.state is TrialState.COMPLETE and trial.values:
            groups.setdefault(first_of(trial.number, trial.tags), []).append(trial)
    return [
        FinishedTrial(
            first.params,
            _finite(
                {
                    **constraint_values(spec.constraints, first.curves),
                    **{metric: fmean(trial.values[metric] for trial in (first, *others)) for metric in first.values},
                }
            ),
        )
        for first, *others in groups.values()
    ]


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {metric: value for metric, value in values.items() if math.isfinite(value)}


def _check_goals(what: str, goals: Mapping[str, str], objectives: Sequence[Objective]) -> None:
    """Refuse to learn from a sweep that has not these objectives; ``goals`` are its own."""
    for objective in objectives:
        metric, goal = objective.metric, objective.goal.value
        if metric not in goals:
            found = f"{what} has no objective {metric!r}; it has {', '.join(goals)}"
            raise InvalidInput(FLAG, [Problem("", found, suggestion(metric, [*goals]))])
        if goals[metric] != goal:
            raise InvalidInput(FLAG, f"{what} has the goal to {goals[metric]} {metric!r}, expected to {goal} it")


def _means(
    records: Sequence[TrialRecord], spec: SweepSpec, limits: Mapping[int, Mapping[str, float]]
) -> list[FinishedTrial]:
    """Return each set of parameters that has a complete trial with the mean of its seeds.

    Args:
        records: Of the sweep.
        spec: The sweep.
        limits: Number of a trial to what counts of the metrics that constraints are on.
    """
    params = {record.number: record.params for record in records}
    metric = spec.objectives[0].metric
    return [
        FinishedTrial(params[group.typical], _finite({**limits.get(group.typical, {}), metric: group.mean}))
        for group in groups_of(records, spec)
        if group.mean is not None
    ]


def _read_table(file: Path, spec: SweepSpec) -> list[FinishedTrial]:
    objectives = spec.objectives
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = [
                {
                    key and from_csv_text(key): cell and from_csv_text(cell)
                    for key, cell in row.items()
                    if key is not None
                }
                for row in csv.DictReader(stream)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        hint = near_path(file) if isinstance(error, FileNotFoundError) else ""
        raise InvalidInput(FLAG, [Problem("", f"cannot read {file}: {why}", hint)]) from error
    columns = [column for column in (rows[0] if rows else {}) if column]
    missing = [o.metric for o in objectives if _column(o, objectives, columns) is None]
    if missing:
        shown = ", ".join(columns) or "none"
        said = f"{file} has no column for the objective {', '.join(missing)}; columns: {shown}"
        raise InvalidInput(FLAG, [Problem("", said, suggestion(missing[0], columns))])
    of = {o.metric: _column(o, objectives, columns) or "" for o in objectives}
    limits = {c.metric: column for c in spec.constraints if (column := _of_metric(c.metric, columns))}
    others = [column for column in columns if column not in (*of.values(), *limits.values())]
    found = []
    for row in rows:
        values = {metric: _number(row[column]) for metric, column in of.items()}
        state = next((row[column] for column in _STATE_COLUMNS if row.get(column)), "")
        if state.upper() in _COMPLETE and all(value is not None for value in values.values()):
            values |= {metric: _number(row[column]) for metric, column in limits.items()}
            known = {metric: value for metric, value in values.items() if value is not None}
            found.append(FinishedTrial(_params(row, others), known))
    return found


def _column(objective: Objective, objectives: Sequence[Objective], columns: Sequence[str]) -> str | None:
    """Return the column of an objective: by its metric, or ``value``, ``objective`` if there is one."""
    alone = ["value", "objective"] if len(objectives) == 1 else []
    return _of_metric(objective.metric, columns) or next((name for name in alone if name in columns), None)


def _of_metric(metric: str, columns: Sequence[str]) -> str | None:
    names = [*(f"{prefix}{metric}" for prefix in _PREFIXES["values"]), metric]
    return next((name for name in names if name in columns), None)


def _params(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """Return a row's parameters: the columns that say so, else all; an empty cell is none."""
    for prefix in _PREFIXES["params"]:
        found = {c.removeprefix(prefix): row[c] for c in columns if c.startswith(prefix) and row[c]}
        if any(column.startswith(prefix) for column in columns):
            return found
    return {column: row[column] for column in columns if row[column] and column not in _OTHERS}


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
