"""The sections of a search space file as settings, and what in them does not go together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.config.yaml_text import is_there, near
from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.domain.spec import (
    Budget,
    ClusterSettings,
    ModelRef,
    Named,
    RaySettings,
    RecordSettings,
    Resources,
    SearchSettings,
    Simulation,
    TrainSettings,
)
from tuner.errors import Problem
from tuner.files.beside import near_path
from tuner.text import parse_duration, shortened


def read_cluster(
    values: Mapping[str, Any], train: TrainSettings | None, scripted: bool, problems: list[Problem]
) -> ClusterSettings | None:
    """Return the tasks that each trial has, or None if a trial is one process; adds what contradicts itself."""
    value = values.get("cluster")
    if value is None:
        return None
    cluster = ClusterSettings(**value)
    if scripted:
        message = "makes clusters of trials of a model, and there is a command"
        hint = "leave it out and let the command start its own tasks, or give a model"
        problems.append(Problem("cluster", message, hint))
    if cluster.workers and not cluster.ps:
        message = f"is 0, and the workers beside the chief ({cluster.workers}) share their variables through a ps"
        hint = "expected at least 1; several GPUs of one host without a ps: train_distribute in the model's run_config"
        problems.append(Problem("cluster.ps", message, hint))
    if not cluster.evaluator:
        message = "is false, and in a cluster train_and_evaluate leaves evaluations to the evaluator: nothing would"
        problems.append(Problem("cluster.evaluator", f"{message} be reported", "leave it out, or set it to true"))
    if train is not None and train.checkpoint_input is True:
        message = "is true, and the tasks of a cluster read their inputs at a pace of their own"
        problems.append(Problem("train.checkpoint_input", message, "leave it out"))
    return cluster


def read_constraints(value: Any, objectives: Sequence[Objective], problems: list[Problem]) -> tuple[Constraint, ...]:
    """Return the constraints that the mapping holds, whose shape is right; mistakes go to ``problems``."""
    found = []
    metrics = [objective.metric for objective in objectives]
    for metric, entry in (value or {}).items():
        where, low, high = f"constraints.{metric}", entry.get("min"), entry.get("max")
        if low is None and high is None:
            problems.append(Problem(where, "has no bound, expected max, min or both"))
        elif low is not None and high is not None and low > high:
            problems.append(Problem(where, f"min ({low}) is above max ({high}), so no trial is feasible"))
        if metric in metrics:
            problems.append(
                Problem(where, "is an objective, too", "a budget's target says when an objective is good enough")
            )
        of = entry.get("of", "last")
        curve = Aggregation("mean", of["mean"]) if isinstance(of, dict) else Aggregation(of)
        found.append(Constraint(str(metric), low, high, curve))
    return tuple(found)


TASKS = ("surface",)


def read_simulation(value: Mapping[str, Any] | None, folder: Path, problems: list[Problem]) -> Simulation | None:
    """Return the simulation that a file describes, or None if it describes none.

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
    if file is not None and not is_there(file):
        problems.append(
            Problem(
                "simulation.curves",
                f"no such file {shortened(str(file), 300)}",
                near_path(file) or "tuner curves NAME FILE writes one",
            )
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


def _seconds(duration: Any) -> float:
    return 0.0 if duration is None else parse_duration(duration)


def _record(value: dict[str, Any]) -> RecordSettings:
    training, recorders = value.get("training", ("loss",)), map(_named, value.get("recorders", ()))
    return RecordSettings(**{**value, "training": tuple(training), "recorders": tuple(recorders)})


def import_paths_of(folder: Path) -> tuple[str, ...]:
    """Return where modules are looked for that a search space file in a folder names."""
    return tuple(dict.fromkeys((str(Path.cwd()), str(folder.absolute()))))


def _model(value: Any, folder: Path, scripted: bool, problems: list[Problem]) -> ModelRef | None:
    if scripted and value is not None:
        hint = "leave the command out, or remove model from the file"
        problems.append(Problem("model", "stands beside a command, expected one of the two", hint))
        return None
    if value is None:
        if not scripted:
            problems.append(Problem("model", "is missing, expected a module or a .py file", "tuner init writes one"))
        return None
    subject, _, name = value.partition(":")
    paths = import_paths_of(folder)
    if subject.endswith(".py") or os.sep in subject:
        file = (folder / subject).absolute()
        if not is_there(file):
            hint = near_path(file) or "the path counts from the file's folder"
            problems.append(Problem("model", f"no such file {shortened(str(file), 300)}", hint))
        return ModelRef(file=str(Path(os.path.normpath(file))), object=name, import_paths=paths)
    if not all(part.isidentifier() for part in subject.split(".")):
        problems.append(
            Problem(
                "model",
                f"found {value!r}, expected package.module or path/to/file.py, optionally with :object",
            )
        )
    return ModelRef(module=subject, object=name, import_paths=paths)


def _train(value: Any, scripted: bool, problems: list[Problem]) -> TrainSettings | None:
    value = value or {}
    train = TrainSettings(value.get("max_steps"), value.get("evaluate_every"), value.get("checkpoint_input", "auto"))
    if not scripted:
        missing = [f"train.{key}" for key in ("max_steps", "evaluate_every") if value.get(key) is None]
        hint = "as in train: {max_steps: 3000, evaluate_every: 300}"
        problems += [Problem(where, "is missing", hint) for where in (missing if value else ["train"])]
    if train.evaluate_every and train.max_steps and train.evaluate_every > train.max_steps:
        problems.append(
            Problem(
                "train.evaluate_every",
                f"is {train.evaluate_every}, above max_steps ({train.max_steps}), so nothing would be evaluated",
                f"expected at most {train.max_steps}",
            )
        )
    return train


def _search(value: dict[str, Any]) -> SearchSettings:
    from tuner.text import parse_duration, parse_size

    known = dict(value)
    method = known.pop("method", None)
    known["sampler"] = _named(method or value.get("sampler", "tpe"))
    known["scheduler"] = _named(method or value.get("scheduler", "none"))
    for key in ("timeout", "trial_timeout", "no_progress_timeout"):
        if known.get(key) is not None:
            known[f"{key}_s"] = parse_duration(known[key])
        known.pop(key, None)
    if known.get("max_checkpoint_bytes") is not None:
        known["max_checkpoint_bytes"] = parse_size(known["max_checkpoint_bytes"])
    known["budget"] = Budget(**(value.get("budget") or {}))
    known["enqueue"] = tuple(value.get("enqueue") or ())
    return SearchSettings(**known)


def _named(value: Any) -> Named:
    if isinstance(value, str):
        return Named(value)
    return Named(value["name"], {key: option for key, option in value.items() if key != "name"})


def _resources(value: dict[str, Any], problems: list[Problem]) -> Resources:
    custom = dict(value.get("custom") or {})
    amounts = {key: value.get(key) for key in ("cpus", "gpus")} | {f"custom.{name}": custom[name] for name in custom}
    for key, amount in amounts.items():
        if amount is not None and amount > 1 and amount != int(amount):
            problems.append(Problem(f"resources.{key}", f"is {amount}, expected a fraction of one or a whole number"))
    return Resources(value.get("cpus"), value.get("gpus"), custom)


def _ray(value: dict[str, Any], folder: Path, problems: list[Problem]) -> RaySettings:
    working_dir = value.get("working_dir", "")
    if working_dir and "://" not in working_dir:
        working_dir = os.path.normpath(folder / working_dir)
        if not is_there(Path(working_dir), folder=True):
            hint = near_path(Path(working_dir)) or "it counts from the file's"
            problems.append(Problem("ray.working_dir", f"no such folder {shortened(working_dir, 300)}", hint))
    storage = value.get("storage", "")
    if storage and "://" not in storage:
        storage = os.path.normpath(folder / storage)
    return RaySettings(value.get("address", ""), storage, working_dir)


def _objectives(value: Any, problems: list[Problem]) -> tuple[Objective, ...]:
    found = []
    for entry in value if isinstance(value, list) else [value]:
        of = entry.get("of", "last")
        curve = Aggregation("mean", of["mean"]) if isinstance(of, dict) else Aggregation(of)
        folder = entry.get("folder", "").strip("/")
        found.append(Objective(entry["metric"], Goal(entry.get("goal", "minimize")), curve, folder))
    names = [objective.metric for objective in found]
    problems += [
        Problem("objective", f"{n!r} is named twice") for n in sorted({n for n in names if names.count(n) > 1})
    ]
    return tuple(found)
