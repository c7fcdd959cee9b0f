"""Katib: an Experiment of ``kubeflow.org``, as ``kubectl apply`` takes it.

After the types of Katib's v1beta1 API and its guides to algorithms and early stopping.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tuner.importers._fields import Fields, words
from tuner.importers._katib_algorithms import algorithm
from tuner.importers._parameters import bounded, discrete, texts
from tuner.importers.base import Report, Translation
from tuner.importers.writing import safe_name

_DISTRIBUTIONS = {"uniform": "linear", "logUniform": "log"}
_RECORD = "it records the experiment, not the search"


class Katib:
    """See ``Importer``."""

    name = "Katib"

    def recognises(self, values: Mapping[str, Any]) -> bool:
        return values.get("kind") == "Experiment" and "kubeflow.org" in str(values.get("apiVersion"))

    def translate(self, values: Mapping[str, Any], report: Report) -> Translation:
        experiment = Fields(values, "", report)
        experiment.get("kind")
        version = experiment.text("apiVersion")
        if not version.endswith("/v1beta1"):
            experiment.refuse("apiVersion", f"is {version!r}, expected kubeflow.org/v1beta1")
        metadata = experiment.section("metadata")
        name = metadata.text("name") or metadata.text("generateName")
        metadata.finish({"*": _RECORD})
        spec = experiment.section("spec")
        found, command = _spec(spec)
        experiment.finish({"status": _RECORD})
        return Translation({"name": safe_name(name), **found} if name else found, "", command)


def _spec(spec: Fields) -> tuple[dict[str, Any], tuple[str, ...]]:
    parameters: dict[str, Any] = {}
    if not spec.items("parameters"):
        spec.refuse("parameters", "has no parameter, expected at least one")
    for fields in spec.sections("parameters"):
        name = fields.text("name")
        if fields.missing("name", "parameterType", "feasibleSpace"):
            continue
        if name in parameters:
            fields.refuse("name", f"{name!r} is defined twice")
        parameters[name] = _parameter(fields)
    objective, budget = _objective(spec.section("objective"))
    search: dict[str, Any] = algorithm(spec.section("algorithm"), parameters)
    search |= _early_stopping(spec, search) | _counts(spec)
    if budget:
        search["budget"] = budget
    if "nasConfig" in spec:
        spec.refuse("nasConfig", "a search for architectures cannot be said", "write its choices as parameters")
    command = _command(spec)
    spec.finish(
        {
            "metricsCollectorSpec": "the objective is read from event files; its name is the tag of an evaluation",
            "resumePolicy": "every sweep can be resumed",
        },
        known=["earlyStopping", "trialTemplate", "nasConfig"],
    )
    return {"objective": objective, "parameters": parameters, "search": search}, command


def _parameter(fields: Fields) -> dict[str, Any] | None:
    kind = fields.word("parameterType", ("double", "int", "discrete", "categorical"), "double")
    space = fields.section("feasibleSpace")
    fields.finish()
    distribution = space.text("distribution", "uniform")
    if distribution not in _DISTRIBUTIONS:
        if distribution in ("normal", "logNormal"):
            nearest = "uniform" if distribution == "normal" else "logUniform"
            space.refuse("distribution", f"{distribution} cannot be said", f"use {nearest} between the same bounds")
        else:
            space.refuse("distribution", f"unknown distribution {distribution!r}", "expected uniform or logUniform")
        return None
    if kind in ("discrete", "categorical"):
        found = discrete(space, "list") if kind == "discrete" else texts(space, "list")
        space.finish(dict.fromkeys(("min", "max", "step"), f"a parameter of type {kind} has none"))
        return found
    step = space.whole("step") if kind == "int" else space.number("step")
    scale = _DISTRIBUTIONS[distribution]
    if step is not None and step <= 0:
        space.refuse("step", f"is {step}, expected a number above 0")
    if step is not None and scale == "log" and not (kind == "int" and step == 1):
        space.refuse("step", "cannot stand beside logUniform", "leave one of the two out, or list the values")
    found = bounded(space, ("min", "max"), kind == "int", scale, step)
    space.finish({"list": f"a parameter of type {kind} has none"})
    return found


def _objective(fields: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the objective, and the budget that its goal is."""
    fields.missing("type", "objectiveMetricName")
    metric = fields.text("objectiveMetricName")
    goal = fields.word("type", ("minimize", "maximize"), "minimize")
    best = {"minimize": "min", "maximize": "max"}[goal]
    of = {best: "best", "latest": "last"}
    strategy = best
    for entry in fields.sections("metricStrategies"):
        if entry.text("name") == metric:
            strategy = entry.word("value", ("min", "max", "latest"), best)
            if strategy not in of:
                entry.refuse("value", f"is {strategy}, but the objective is to {goal}", f"expected {best} or latest")
        else:
            entry.note("value", "is not used: it is of another metric than the objective")
        entry.finish()
    if "additionalMetricNames" in fields:
        fields.note("additionalMetricNames", "is not used: every scalar of an evaluation is recorded")
    target = fields.number("goal")
    fields.finish()
    found = {"metric": metric, "goal": goal, "of": of.get(strategy, "best")}
    return found, {} if target is None else {"target": target}


def _early_stopping(spec: Fields, search: Mapping[str, Any]) -> dict[str, Any]:
    if "earlyStopping" not in spec:
        return {}
    stopping = spec.section("earlyStopping")
    name = stopping.text("algorithmName")
    if name != "medianstop":
        stopping.refuse("algorithmName", f"unknown algorithm {name!r}", "expected medianstop")
    if "scheduler" in search:
        stopping.refuse("algorithmName", f"cannot stand beside {search['scheduler']['name']}", "leave one of them out")
    startup = 3
    for setting in stopping.sections("algorithmSettings"):
        key = setting.text("name")
        if key == "min_trials_required":
            startup = setting.whole("value") or startup
        elif key == "start_step":
            count = setting.whole("value")
            setting.note(
                "value", f"(start_step) is not used: it counts {count} reports; say it in steps by warmup_steps"
            )
        else:
            setting.refuse("name", f"unknown setting {key!r}", "expected min_trials_required or start_step")
        setting.finish()
    stopping.finish()
    return {"scheduler": {"name": "median", "startup_trials": startup}}


def _counts(spec: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    trials, workers = spec.whole("maxTrialCount"), spec.whole("parallelTrialCount")
    if trials is None:
        spec.report.notes.append("maxTrialCount is not given: the sweep ends after 20 trials, or after --trials")
    else:
        found["trials"] = trials
    found["workers"] = 3 if workers is None else workers
    for key, count in (("maxTrialCount", trials), ("parallelTrialCount", workers)):
        if count is not None and count < 1:
            spec.refuse(key, f"is {count}, expected at least 1")
    failed = spec.whole("maxFailedTrialCount")
    if failed is not None:
        # There the experiment fails with so many, here with more.
        found["max_failed_trials"] = max(failed - 1, 0)
        if failed > 3:
            found["max_consecutive_failures"] = failed
    return found


def _command(spec: Fields) -> tuple[str, ...]:
    """Return the command of the trial's container, with our names of its parameters."""
    if "trialTemplate" not in spec:
        return ()
    spec.note("trialTemplate", "is not used: trials run where tuner runs")
    template = spec.get("trialTemplate")
    if not isinstance(template, dict):
        return ()
    names = {
        str(entry.get("name")): str(entry.get("reference"))
        for entry in _listed(template.get("trialParameters"))
        if isinstance(entry, dict)
    }
    primary = template.get("primaryContainerName")
    containers = list(_containers(template.get("trialSpec")))
    chosen = [c for c in containers if c.get("name") == primary] or containers
    for container in chosen:
        found = [*words(container.get("command")), *words(container.get("args"))]
        if found:
            return tuple(re.sub(r"\$\{trialParameters\.([^}]+)\}", lambda m: _placed(m[1], names), w) for w in found)
    return ()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _placed(name: str, names: Mapping[str, str]) -> str:
    return "{" + names.get(name, name) + "}"


def _containers(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the containers of a pod, wherever the job's kind has it."""
    if depth > 20:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "containers" and isinstance(inner, list):
                yield from (container for container in inner if isinstance(container, dict))
            else:
                yield from _containers(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _containers(inner, depth + 1)
