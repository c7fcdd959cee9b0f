"""Sweeps, or trials of them, side by side: what differs in parameters, final metrics, curves, time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.config.manifest import read_manifest
from tuner.domain.objective import Objective
from tuner.domain.repeats import SeedGroup, SeedGroups
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput
from tuner.files.paths import Root
from tuner.plots.comparison_page import comparison_page
from tuner.records.log import read_records
from tuner.records.record import Evaluated
from tuner.results import SweepResult, Trial

Line = tuple[str, list[Any]]
"""What a row is, and its value of each subject."""

_OF_SEEDS = {
    "mean": "objective {metric}, mean over seeds",
    "spread": "spread over seeds",
    "seeds": "seeds",
}


@dataclass(frozen=True)
class Subject:
    """One of those that are compared: a trial, or a sweep by its best trial.

    Attributes:
        label: As it was asked for, ``NAME`` or ``NAME:7``.
        whole: Whether it is a sweep.
        trial: The trial, or the sweep's best one; None if no trial is complete.
        seconds: Time its processes ran; of a sweep, of all its trials.
        objectives: Of its sweep.
        why_none: Of a sweep without a best trial: why; else empty.
        metrics: Every tag of the trial's last evaluation.
        settings: Of the sweep: how it searched, how many trials ended how.
        curve: Of the first objective: global step to value; of a sweep, trial to the best so far.
    """

    label: str
    whole: bool
    trial: Trial | None
    seconds: float
    objectives: tuple[Objective, ...]
    why_none: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)

    @property
    def rules(self) -> str:
        """What of a trial's evaluations each objective is."""
        several = len(self.objectives) > 1
        return ", ".join(f"{o.metric}: {o.of}" if several else str(o.of) for o in self.objectives)

    @property
    def seeds(self) -> SeedGroup | None:
        """What the trials of its parameters have come to, if its sweep repeats them with several seeds."""
        return self.trial.group if self.trial else None

    def row(self) -> dict[str, Any]:
        """Return what JSON and CSV have of it."""
        trial = self.trial
        return {
            "name": self.label,
            "trial": trial.number if trial else None,
            "state": trial.state.value if trial else None,
            "values": trial.values if trial else {},
            "step": trial.value_step if trial else None,
            "last_step": trial.record.step if trial else None,
            "seconds": round(self.seconds, 3),
            "trial_seconds": round(trial.record.seconds, 3) if trial else None,
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
    lines = [*_of_trials(found, rows), *_objectives(found)]
    for group, title in {"metrics": "last ", "params": "", "settings": ""}.items():
        if group == "metrics":  # that an objective is its metric's last value need not be said twice
            keys = dict.fromkeys(key for row in rows for key in row[group])
            shown = [key for key in keys if any(row[group].get(key) != row["values"].get(key) for row in rows)]
        else:
            shown = [key for key in differing(rows, group) if group == "params" or key not in _OF_SEEDS]
        lines += [(title + key, [row[group].get(key) for row in rows]) for key in shown]
    return [{"": title, **{s.label: value for s, value in zip(found, values, strict=True)}} for title, values in lines]


def _of_trials(found: Sequence[Subject], rows: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Yield which trials are compared, how they ended and how long they took."""
    sweeps = [subject.whole for subject in found]
    yield (
        "best trial" if all(sweeps) else "trial, of a sweep the best" if any(sweeps) else "trial",
        [row["trial"] for row in rows],
    )
    yield "state", [row["state"] for row in rows]
    yield "last step", [row["last_step"] for row in rows]
    if not any(sweeps):
        yield "seconds", [row["seconds"] for row in rows]
        return
    yield "seconds of this trial", [row["trial_seconds"] for row in rows]
    yield "seconds of all trials", [row["seconds"] if whole else None for row, whole in zip(rows, sweeps, strict=True)]


def _objectives(found: Sequence[Subject]) -> Iterator[Line]:
    """Yield the objectives, what of the evaluations they are and of which step, of repeated trials those of the set."""
    if len({subject.rules for subject in found}) > 1:
        yield "objective of", [subject.rules for subject in found]
    trials = [subject.trial for subject in found]
    repeated = any(subject.seeds for subject in found)
    metrics = list(dict.fromkeys(metric for trial in trials if trial for metric in trial.values))
    for metric in metrics:
        yield f"objective {metric}{', this trial' if repeated else ''}", [t and t.values.get(metric) for t in trials]
        steps = [trial.value_steps.get(metric) if trial else None for trial in trials]
        if any(trial and step != trial.record.step for trial, step in zip(trials, steps, strict=True)):
            yield f"step of {metric}" if len(metrics) > 1 else "step of the objective", steps
    for key, title in _OF_SEEDS.items() if repeated else ():
        first = " or ".join(dict.fromkeys(s.objectives[0].metric for s in found if s.seeds))
        yield title.format(metric=first), [s.seeds.row()[key] if s.seeds else None for s in found]


def to_page(found: Sequence[Subject]) -> str:
    """Return the comparison as a page that stands alone."""
    curves = {s.label: s.curve for s in found if s.curve}
    whole = all(s.whole for s in found)
    metrics = {s.objectives[0].metric for s in found}
    notes = [s.why_none for s in found if s.why_none]
    return comparison_page(side_by_side(found), curves, " or ".join(sorted(metrics)), whole, notes)


def _of_trial(name: str, result: SweepResult, number: str) -> Subject:
    trials = {trial.number: trial for trial in result.trials}
    if not number.isdecimal() or int(number) not in trials:
        there = " to ".join(dict.fromkeys(map(str, (min(trials), max(trials))))) if trials else "none"
        raise InvalidInput("", f"the sweep {result.spec.name!r} has no trial {number!r}; trials there: {there}")
    trial = trials[int(number)]
    metrics, of_seeds = _last_metrics(result, trial), trial.group.row() if trial.group else {}
    curve = dict(trial.record.curve)
    return Subject(name, False, trial, trial.record.seconds, result.spec.objectives, "", metrics, of_seeds, curve)


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
    why_none, curve = "" if best else result.why_no_best().message, _best_so_far(result)
    return Subject(name, True, best, seconds, result.spec.objectives, why_none, metrics, settings, curve)


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
