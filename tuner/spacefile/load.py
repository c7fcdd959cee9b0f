"""From the text of a search space file to a sweep: shape by pydantic, meaning by hand, all mistakes at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem
from tuner.paths import check_name
from tuner.spacefile.clustered import read_cluster
from tuner.spacefile.constraints import read_constraints
from tuner.spacefile.enqueued import check_enqueued
from tuner.spacefile.parameters import read_parameters
from tuner.spacefile.scripted import check_scripted
from tuner.spacefile.shape import KEYS, check_shape
from tuner.spacefile.simulation import check_simulation, read_simulation
from tuner.spacefile.text import apply, dump, parse, read_text
from tuner.spec import (
    Budget,
    ModelRef,
    Named,
    RaySettings,
    RecordSettings,
    Resources,
    SearchSettings,
    SweepSpec,
    TrainSettings,
)
from tuner.values import Curve, Goal, Objective


def load_spec(file: Path, overrides: Sequence[str] = (), command: Sequence[str] = ()) -> SweepSpec:
    """Read a search space file.

    Args:
        file: YAML file.
        overrides: ``KEY=VALUE`` with a dotted path of the file and a value read as YAML.
        command: The command of script mode, or nothing.

    Raises:
        InvalidInput: The file has mistakes; all of them are named.
    """
    return parse_spec(read_text(file), str(file), file.absolute().parent, file.stem, overrides, command)


def parse_spec(
    text: str,
    source: str,
    folder: Path,
    stem: str = "",
    overrides: Sequence[str] = (),
    command: Sequence[str] = (),
) -> SweepSpec:
    """Read a search space from its text.

    Args:
        text: YAML.
        source: What messages call it.
        folder: Where a model's file is looked for.
        stem: Name of the sweep where the text has none.
        overrides: As of ``load_spec``.
        command: As of ``load_spec``.

    Raises:
        InvalidInput: It has mistakes; all of them are named.
    """
    values = parse(text, source)
    if overrides:
        values = apply(values, overrides, KEYS)
        text = dump(values)
    problems: list[Problem] = check_shape(values)
    bad = {problem.where.split(".")[0] for problem in problems}
    name = _name(values.get("name", stem), bad, problems)
    space = read_parameters(values.get("parameters"), problems)
    simulation = None if "simulation" in bad else read_simulation(values.get("simulation"), folder, problems)
    if "model" in values or simulation is None:
        model = None if "model" in bad else _model(values.get("model"), folder, bool(command), problems)
    else:
        model = None  # nothing is trained
    train = None if "train" in bad else _train(values.get("train"), bool(command), problems)
    search = None if "search" in bad else _search(values.get("search") or {})
    objectives = () if "objective" in bad else _objectives(values.get("objective"), problems)
    resources = Resources() if "resources" in bad else _resources(values.get("resources") or {}, problems)
    ray = RaySettings() if "ray" in bad else _ray(values.get("ray") or {}, folder, problems)
    cluster = None if "cluster" in bad else read_cluster(values, train, bool(command), problems)
    if train is not None and search is not None:
        _contradictions(train, search, space, objectives, problems)
        check_enqueued(search.enqueue, space, problems)
        problems += check_simulation(simulation, search)
        if command:
            check_scripted(train, search, problems)
        elif model is not None and any(objective.folder for objective in objectives):
            problems.append(
                Problem(
                    "objective.folder",
                    "is for commands, which may evaluate in several folders; a model's objective is of its EvalSpec",
                    "remove it",
                )
            )
    constraints = () if "constraints" in bad else read_constraints(values.get("constraints"), objectives, problems)
    if problems:
        raise InvalidInput(source, problems)
    assert train is not None and search is not None and space is not None
    return SweepSpec(
        name=name,
        objectives=objectives,
        space=space,
        train=train,
        search=search,
        model=model,
        command=tuple(command),
        command_dir=str(Path.cwd()) if command else "",
        source=text,
        description=str(values.get("description", "")),
        record=_record(values.get("record") or {}),
        simulation=simulation,
        constraints=constraints,
        resources=resources,
        ray=ray,
        cluster=cluster,
    )


def _record(value: dict[str, Any]) -> RecordSettings:
    return RecordSettings(**{**value, "training": tuple(value.get("training", ("loss",)))})


def _name(value: Any, bad: set[str], problems: list[Problem]) -> str:
    if "name" in bad:
        return ""
    try:
        return check_name(str(value))
    except InvalidInput as error:
        problems += [Problem("name", problem.message) for problem in error.problems]
        return ""


def _model(value: Any, folder: Path, scripted: bool, problems: list[Problem]) -> ModelRef | None:
    if scripted and value is not None:
        problems.append(Problem("model", "stands beside a command, expected one of the two", "remove one"))
        return None
    if value is None:
        if not scripted:
            problems.append(Problem("model", "is missing, expected a module or a .py file"))
        return None
    subject, _, name = value.partition(":")
    paths = tuple(dict.fromkeys((str(Path.cwd()), str(folder))))
    if subject.endswith(".py") or os.sep in subject:
        file = (folder / subject).absolute()
        if not file.is_file():
            problems.append(Problem("model", f"no such file {str(file)!r}", "the path counts from the file's folder"))
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
        problems += [Problem(where, "is missing") for where in (missing if value else ["train"])]
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
    from tuner.durations import parse_duration
    from tuner.sizes import parse_size

    known = dict(value)
    known["sampler"] = _named(value.get("sampler", "tpe"))
    known["scheduler"] = _named(value.get("scheduler", "none"))
    for key in ("timeout", "trial_timeout"):
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
        if not Path(working_dir).is_dir():
            problems.append(Problem("ray.working_dir", f"no such folder {working_dir!r}", "it counts from the file's"))
    storage = value.get("storage", "")
    if storage and "://" not in storage:
        storage = os.path.normpath(folder / storage)
    return RaySettings(value.get("address", ""), storage, working_dir)


def _objectives(value: Any, problems: list[Problem]) -> tuple[Objective, ...]:
    found = []
    for entry in value if isinstance(value, list) else [value]:
        of = entry.get("of", "last")
        curve = Curve("mean", of["mean"]) if isinstance(of, dict) else Curve(of)
        folder = entry.get("folder", "").strip("/")
        found.append(Objective(entry["metric"], Goal(entry.get("goal", "minimize")), curve, folder))
    names = [objective.metric for objective in found]
    problems += [
        Problem("objective", f"{n!r} is named twice") for n in sorted({n for n in names if names.count(n) > 1})
    ]
    return tuple(found)


def _repeats(search: SearchSettings, objectives: Sequence[Objective]) -> Iterator[Problem]:
    """Yield what does not go with several seeds for each set of parameters."""
    if search.repeats == 1:
        return
    if search.scheduler.name in ("asha", "hyperband", "pbt"):
        yield Problem(
            "search.repeats",
            f"is {search.repeats}, and scheduler {search.scheduler.name} promotes or replaces single trials, not the "
            "mean of several seeds",
            "none, median, percentile, patience and asha_stopping go with repeats",
        )
    if len(objectives) > 1:
        yield Problem(
            "search.repeats",
            f"is {search.repeats}, and there are several objectives, expected one",
            "leave repeats out, or give one objective and constraints",
        )


def _contradictions(
    train: TrainSettings,
    search: SearchSettings,
    space: Any,
    objectives: Sequence[Objective],
    problems: list[Problem],
) -> None:
    problems += _repeats(search, objectives)
    options = search.scheduler.options
    if isinstance(eta := options.get("eta"), int) and eta < 2:
        problems.append(Problem("search.scheduler.eta", f"is {eta}, expected at least 2", "one in eta goes on"))
    if (rank := options.get("rank", "first")) not in ("first", "nondominated"):
        problems.append(Problem("search.scheduler.rank", f"is {rank!r}, expected first or nondominated"))
    for key in ("min_steps", "every"):
        steps = options.get(key)
        if train.evaluate_every is None:
            continue
        if isinstance(steps, int) and (steps < train.evaluate_every or steps % train.evaluate_every):
            problems.append(
                Problem(
                    f"search.scheduler.{key}",
                    f"is {steps}, where evaluations come every {train.evaluate_every} steps",
                    "expected a multiple of train.evaluate_every",
                )
            )
        elif isinstance(steps, int) and train.max_steps is not None and steps >= train.max_steps:
            problems.append(
                Problem(
                    f"search.scheduler.{key}",
                    f"is {steps}, and a trial ends at train.max_steps ({train.max_steps}), before anything is judged",
                    f"expected less than {train.max_steps}",
                )
            )
    if len(objectives) > 1 and search.sampler.name == "cmaes":
        problems.append(
            Problem(
                "search.sampler",
                "cmaes searches for one objective, and there are several",
                "tpe, gp, nsgaii, nsgaiii, random, grid and qmc take several",
            )
        )
    if search.sampler.name == "grid" and space is not None:
        from tuner.space import Float

        problems += [
            Problem(
                f"parameters.{p.name}",
                "has no step, so sampler grid cannot list its values",
                "give it a step",
            )
            for p in space.parameters
            if isinstance(p, Float) and p.step is None
        ]
