"""A sweep as JSON and back, and what differs between two of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import PurePath
from typing import Any

from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.domain.spec import (
    Budget,
    ClusterSettings,
    ModelRef,
    Named,
    Notify,
    RaySettings,
    RecordSettings,
    Resources,
    SearchSettings,
    Simulation,
    SweepSpec,
    TrainSettings,
)
from tuner.hiding import HIDDEN, Hiding, hidden_words, is_secret, secrets_in, secrets_of_url
from tuner.space import Categorical, Discrete, Float, Int, Parameter, Range, Space
from tuner.space.conditions import with_fitted_conditions

_KINDS: dict[str, type[Any]] = {"float": Float, "int": Int, "discrete": Discrete, "categorical": Categorical}
_PLAIN = re.compile(r"[0-9.]+[smhd]|[A-Za-z_/.][^\s,:#'\"\[\]{}]*(?::[^\s,#'\"\[\]{}]+)?")  # text that needs no quotes
_NAMES = {kind: name for name, kind in _KINDS.items()}

HARMLESS = frozenset(
    {
        "search.trials",
        "search.workers",
        "search.timeout",
        "search.trial_timeout",
        "search.no_progress_timeout",
        "search.scheduler",
        "search.retries",
        "search.max_failed_trials",
        "search.max_consecutive_failures",
        "search.budget",
        "search.max_checkpoint_bytes",
        "search.enqueue",
        "simulation.record",
        "resources",
        "ray",
        "model.folder",
        "model.import_paths",
        "command.folder",
    }
)
"""What may change in a sweep without changing what its trials mean."""


def to_json(spec: SweepSpec) -> dict[str, Any]:
    """Return a sweep as values that JSON can hold."""
    data = asdict(spec)
    data["space"] = {
        "parameters": [parameter_to_json(p) for p in spec.space.parameters],
        "constants": dict(spec.space.constants),
    }
    data["objectives"] = [
        {"metric": o.metric, "goal": o.goal.value, "of": asdict(o.of), **({"folder": o.folder} if o.folder else {})}
        for o in spec.objectives
    ]
    return data


def from_json(data: Mapping[str, Any]) -> SweepSpec:
    """Return the sweep that ``to_json`` made.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    search = dict(data["search"])
    for key in ("sampler", "scheduler"):
        search[key] = Named(**search[key])
    search["budget"] = Budget(**search["budget"])
    search["enqueue"] = tuple(search.get("enqueue", ()))
    model = data.get("model")
    record = data.get("record", {})
    of_model = model["import_paths"] if model else ()  # versions before kept no others
    return SweepSpec(
        name=data["name"],
        objectives=tuple(
            Objective(o["metric"], Goal(o["goal"]), Aggregation(**o["of"]), o.get("folder", ""))
            for o in data["objectives"]
        ),
        space=_space(data["space"]),
        train=TrainSettings(**data["train"]),
        search=SearchSettings(**search),
        model=ModelRef(**{**model, "import_paths": tuple(model["import_paths"])}) if model else None,
        command=tuple(data.get("command", ())),
        command_dir=data.get("command_dir", ""),
        source=data.get("source", ""),
        description=data.get("description", ""),
        record=RecordSettings(
            **{
                **record,
                "training": tuple(record.get("training", ("loss",))),
                "recorders": tuple(Named(**named) for named in record.get("recorders", ())),
            }
        ),
        simulation=Simulation(**data["simulation"]) if data.get("simulation") else None,
        constraints=tuple(Constraint(**{**c, "of": Aggregation(**c["of"])}) for c in data.get("constraints", ())),
        resources=Resources(**data.get("resources", {})),
        ray=RaySettings(**data.get("ray", {})),
        cluster=ClusterSettings(**data["cluster"]) if data.get("cluster") else None,
        notify=Notify(**data.get("notify", {})),
        import_paths=tuple(data.get("import_paths", of_model)),
    )


def _space(data: Mapping[str, Any]) -> Space:
    parameters = tuple(map(parameter_from_json, data["parameters"]))
    return Space(with_fitted_conditions(parameters), data["constants"])


def hidden_spec(spec: SweepSpec) -> SweepSpec:
    """Return a sweep as it may be recorded: the secrets of its command, constants and URLs are ``***``."""
    hiding = Hiding(secrets_of(spec))
    constants = {name: HIDDEN if is_secret(name, value) else value for name, value in spec.space.constants.items()}
    return replace(
        spec,
        command=hidden_words(spec.command),
        space=replace(spec.space, constants=constants),
        ray=replace(spec.ray, storage=hiding(spec.ray.storage)),
        source=hiding(spec.source),
        description=hiding(spec.description),
    )


def secrets_of(spec: SweepSpec) -> set[str]:
    """Return the secrets that a sweep was given: of its command, its constants and its URLs."""
    named = {value for name, value in spec.space.constants.items() if isinstance(value, str) and is_secret(name, value)}
    urls = (spec.ray.storage, *named)
    return named | secrets_in(spec.command) | {secret for url in urls for secret in secrets_of_url(url)}


def private_part(spec: SweepSpec) -> dict[str, Any]:
    """Return what of a sweep ``hidden_spec`` hides and its trials need; empty if that is nothing."""
    shown = hidden_spec(spec)
    found: dict[str, Any] = {}
    if shown.command != spec.command:
        found["command"] = list(spec.command)
    if shown.ray.storage != spec.ray.storage:
        found["ray_storage"] = spec.ray.storage
    hides = {n: v for n, v in spec.space.constants.items() if shown.space.constants[n] != v}
    return {**found, **({"constants": hides} if hides else {})}


def with_private(spec: SweepSpec, private: Mapping[str, Any]) -> SweepSpec:
    """Return the sweep of which ``spec`` is what is shown and ``private`` what is hidden, if they belong together."""
    whole = replace(
        spec,
        command=tuple(private.get("command", spec.command)),
        space=replace(spec.space, constants={**spec.space.constants, **private.get("constants", {})}),
        ray=replace(spec.ray, storage=private.get("ray_storage", spec.ray.storage)),
    )
    shown = hidden_spec(whole)
    fits = (shown.command, shown.space, shown.ray) == (spec.command, spec.space, spec.ray)
    return whole if fits else spec


def hides(spec: SweepSpec) -> list[str]:
    """Return where a sweep has ``***`` in place of a secret that its trials need."""
    words = [f"the command's {word}" for word in spec.command if HIDDEN in word]
    constants = [f"parameters.{name}" for name, value in spec.space.constants.items() if value == HIDDEN]
    return [*words, *constants, *(["ray.storage"] if HIDDEN in spec.ray.storage else [])]


def diff(old: SweepSpec, new: SweepSpec) -> tuple[list[str], list[str]]:
    """Return what differs between a sweep as it was made and as it is asked for now.

    Returns:
        Lines of what may change (limits, workers, another scheduler), and of what may not because
        recorded trials would change their meaning.
    """
    one = len(old.objectives) == len(new.objectives) == 1
    before, after = _leaves(old, one), _leaves(new, one)
    harmless: list[str] = []
    refused: list[str] = []
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if key.startswith("objective.") and None in (was, now):
            continue  # "objectives" says so
        if was != now or (key.startswith("parameters.") and _said(was) != _said(now)):
            (harmless if key in HARMLESS else refused).append(f"{key}: {_change(was, now)}")
    return harmless, refused


def _leaves(spec: SweepSpec, one_objective: bool) -> dict[str, Any]:
    """Return what is compared of a sweep, by the keys of the file."""
    data = to_json(spec)
    found: dict[str, Any] = {"model": None, "command": list(spec.command)}
    if spec.command:
        found["command.folder"] = spec.command_dir
    if spec.model:
        # A project that was moved as a whole is the same project.
        file = PurePath(spec.model.file)
        found["model"] = str(replace(spec.model, file=file.name if spec.model.file else ""))
        found["model.folder"] = str(file.parent) if spec.model.file else None
        found["model.import_paths"] = list(spec.model.import_paths)
    objectives = [{**o, "of": _of(o["of"])} for o in data["objectives"]]
    if one_objective:
        found["objective"] = objectives[0]
    else:
        found |= {f"objective.{o['metric']}": {**o, "metric": None} for o in objectives}
        found["objectives"] = [o["metric"] for o in objectives]  # values are told in this order
    found |= {f"constraints.{c['metric']}": {**c, "metric": None, "of": _of(c["of"])} for c in data["constraints"]}
    found |= {f"parameters.{p['name']}": _without_empty(p) for p in data["space"]["parameters"]}
    found |= {f"parameters.{name}": value for name, value in data["space"]["constants"].items()}
    found |= {f"train.{key}": value for key, value in data["train"].items()}
    found |= {f"simulation.{key}": value for key, value in (data.get("simulation") or {}).items()}
    found["resources"], found["ray"] = data["resources"], data["ray"]
    found |= {f"cluster.{key}": value for key, value in (data.get("cluster") or {}).items()}
    for entry in fields(SearchSettings):
        key, value = entry.name.removesuffix("_s"), data["search"][entry.name]
        found[f"search.{key}"] = value if key == entry.name or value is None else f"{value:.12g}s"
    for key in ("search.sampler", "search.scheduler"):
        found[key] = {"name": found[key]["name"], **found[key]["options"]}
    return found


def _of(aggregation: Mapping[str, Any]) -> Any:
    """Return an objective's rule as the file has it."""
    return {"mean": aggregation["count"]} if aggregation["rule"] == "mean" else aggregation["rule"]


def _said(value: Any) -> str:
    """Return a value so that 1, 1.0 and true differ, as they do for a model."""
    return json.dumps(value, sort_keys=True)


def _without_empty(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in parameter.items()
        if key not in ("name", "kind") and value not in (None, False, {})
    }


def _change(was: Any, now: Any) -> str:
    """Say what changed, of two mappings only the entries that did."""
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return f"{_show(was)} -> {_show(now)}"
    keys = [key for key in dict.fromkeys([*was, *now]) if _said(was.get(key)) != _said(now.get(key))]
    if not keys:
        return f"{_show(was)} -> {_show(now)}"
    return ", ".join(f"{key} {_show(was.get(key))} -> {_show(now.get(key))}" for key in keys)


def _show(value: Any) -> str:
    return "not set" if value is None else _flow(value)


def _flow(value: Any) -> str:
    """Return a value as a search space file may have it, in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items() if item is not None)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def parameter_to_json(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as values that JSON can hold."""
    return {"kind": _NAMES[type(parameter)], **asdict(parameter)}


def parameter_from_json(data: Mapping[str, Any]) -> Parameter:
    """Return the parameter that ``parameter_to_json`` made."""
    values = {key: value for key, value in data.items() if key != "kind"}
    values["when"] = {
        parent: Range(**given) if isinstance(given, dict) else tuple(given) for parent, given in values["when"].items()
    }
    for key in ("choices", "values"):
        if key in values:
            values[key] = tuple(values[key])
    parameter: Parameter = _KINDS[data["kind"]](**values)
    return parameter
