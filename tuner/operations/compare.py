"""Sweeps, or trials of them, side by side: what differs in parameters, final metrics, curves, time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.config.manifest import read_manifest
from tuner.domain.repeats import SeedGroups
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput
from tuner.files.paths import Root
from tuner.plots.comparison_page import comparison_page
from tuner.records.log import read_records
from tuner.records.record import Evaluated
from tuner.results import SweepResult, Trial


@dataclass(frozen=True)
class Subject:
    """One of those that are compared: a trial, or a sweep by its best trial.

    Attributes:
        label: As it was asked for, ``NAME`` or ``NAME:7``.
        whole: Whether it is a sweep.
        trial: The trial, or the sweep's best one; None if no trial is complete.
        seconds: Time its processes ran; of a sweep, of all its trials.
        metrics: Every tag of the trial's last evaluation.
        settings: Of the sweep: how it searched, how many trials ended how.
        curve: Of the first objective: global step to value; of a sweep, trial to the best so far.
    """

    label: str
    whole: bool
    trial: Trial | None
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)
    objective: str = ""

    def row(self) -> dict[str, Any]:
        """Return what JSON and CSV have of it."""
        trial = self.trial
        return {
            "name": self.label,
            "trial": trial.number if trial else None,
            "state": trial.state.value if trial else None,
            "values": trial.values if trial else {},
            "step": trial.record.step if trial else None,
            "seconds": round(self.seconds, 3),
            "params": trial.params if trial else {},
            "metrics": dict(self.metrics),
            "settings": dict(self.settings),
        }


def subjects(names: Sequence[str], root: Path) -> list[Subject]:
    """Read what is to be compared.

    Args:
        names: Sweeps (``NAME``) and trials (``NAME:7``); a single sweep stands for its complete trials.
        root: Folder of the records.

    Raises:
        InvalidInput: One is not there; the message names those that are.
    """
    results: dict[str, SweepResult] = {}
    found = []
    for name in dict.fromkeys(names):
        sweep, colon, number = name.partition(":")
        if sweep not in results:
            sweep_dir = Root(root.absolute()).sweep(sweep)
            frozen = read_manifest(sweep_dir)
            results[sweep] = SweepResult(sweep_dir, frozen.spec, frozen.storage_url)
        result = results[sweep]
        found.append(_of_trial(name, result, number) if colon else _of_sweep(name, result))
    return found


def differing(rows: Sequence[Mapping[str, Any]], group: str) -> list[str]:
    """Return the keys of a group (``params``, ``settings``) that do not have one value in all rows."""
    keys = dict.fromkeys(key for row in rows for key in row[group])
    return [key for key in keys if len({json.dumps(row[group].get(key, "absent")) for row in rows}) > 1]


def side_by_side(found: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return a row for each thing that is compared, with a column for each subject; equals are left out."""
    rows = [subject.row() for subject in found]
    plain = {"trial": "best trial" if all(s.whole for s in found) else "trial", "state": "state"}
    lines = [(title, [row[key] for row in rows]) for key, title in plain.items()]
    groups = {"values": "", "metrics": "", "params": "", "settings": ""}
    for group in groups:
        keys = dict.fromkeys(key for row in rows for key in row[group])
        shown = list(keys) if group in ("values", "metrics") else differing(rows, group)
        if group == "metrics":  # that an objective is its metric's last value need not be said twice
            shown = [key for key in keys if any(row[group].get(key) != row["values"].get(key) for row in rows)]
        title = {"values": "objective ", "metrics": "last "}.get(group, "")
        lines += [(title + key, [row[group].get(key) for row in rows]) for key in shown]
    lines[2:2] = [("step", [row["step"] for row in rows]), ("seconds", [row["seconds"] for row in rows])]
    return [{"": title, **{s.label: value for s, value in zip(found, values, strict=True)}} for title, values in lines]


def to_page(found: Sequence[Subject]) -> str:
    """Return the comparison as a page that stands alone."""
    curves = {s.label: s.curve for s in found if s.curve}
    whole = all(s.whole for s in found)
    metrics = {s.objective for s in found}
    return comparison_page(side_by_side(found), curves, " or ".join(sorted(metrics)), whole)


def _of_trial(name: str, result: SweepResult, number: str) -> Subject:
    trials = {trial.number: trial for trial in result.trials}
    if not number.isdecimal() or int(number) not in trials:
        there = f"0 to {max(trials)}" if trials else "none"
        raise InvalidInput("", f"the sweep {result.spec.name!r} has no trial {number!r}; trials there: {there}")
    trial = trials[int(number)]
    objective = result.spec.objectives[0].metric
    metrics = _last_metrics(result, trial)
    return Subject(name, False, trial, trial.record.seconds, metrics, {}, dict(trial.record.curve), objective)


def _of_sweep(name: str, result: SweepResult) -> Subject:
    best = result.best_or_none
    counts = Counter(trial.state for trial in result.trials)
    search, train = result.spec.search, result.spec.train
    settings = {
        "trials": len(result.trials),
        **{state.value.lower(): counts[state] for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)},
        "sampler": search.sampler.name,
        "scheduler": search.scheduler.name,
        "seed": search.seed,
        "max_steps": train.max_steps,
        "evaluate_every": train.evaluate_every,
        **(best.group.row() if best and best.group else {}),
    }
    seconds = sum(trial.record.seconds for trial in result.trials)
    metrics = _last_metrics(result, best) if best else {}
    return Subject(name, True, best, seconds, metrics, settings, _best_so_far(result), result.spec.objectives[0].metric)


def _best_so_far(result: SweepResult) -> dict[int, float]:
    goal = result.spec.objectives[0].goal
    curve: dict[int, float] = {}
    groups = SeedGroups(result.spec.search.repeats, goal)
    for trial in result.trials:
        if trial.state.is_finished:
            value = trial.value if trial.record.feasible else None
            groups.finish(trial.number, trial.record.tags, trial.state, value)
        if groups.best is not None and groups.best.mean is not None:
            curve[trial.number] = groups.best.mean
    return curve


def _last_metrics(result: SweepResult, trial: Trial) -> dict[str, float]:
    last: dict[str, tuple[int, float]] = {}
    for record, _ in read_records(result.dir.records_file):
        if not isinstance(record, Evaluated) or record.trial != trial.number:
            continue
        if record.evaluation.folder and not record.evaluation.is_secondary:
            step = record.evaluation.step
            for tag, value in record.evaluation.scalars.items():
                if tag not in last or step > last[tag][0]:
                    last[tag] = (step, value)
    return {tag: value for tag, (_, value) in last.items()}
