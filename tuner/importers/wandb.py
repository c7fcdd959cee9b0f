"""Weights & Biases: the configuration of a sweep, as ``wandb sweep`` takes it.

After the reference of sweep configuration keys and the JSON schema of wandb's own sweeps package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuner.importers._fields import Fields
from tuner.importers._wandb_parameters import read_parameters
from tuner.importers.base import Report, Translation
from tuner.importers.writing import safe_name

_SAMPLERS = {"bayes": "tpe", "random": "random", "grid": "grid"}
_UNUSED = {
    "description": "it records the sweep, not the search",
    "project": "the sweep's name is the experiment's",
    "entity": "records stay on this machine",
    "controller": "the driver of the sweep decides",
    "kind": "it says what the file is",
    "apiVersion": "it says what the file is",
    "job": "give a command: tuner run FILE -- COMMAND",
    "image_uri": "give a command: tuner run FILE -- COMMAND",
    "launch": "trials run where tuner runs",
}


class WandB:
    """See ``Importer``."""

    name = "W&B"

    def recognises(self, values: Mapping[str, Any]) -> bool:
        ours = "objective" in values or "model" in values or "train" in values
        return isinstance(values.get("method"), str) and isinstance(values.get("parameters"), dict) and not ours

    def translate(self, values: Mapping[str, Any], report: Report) -> Translation:
        sweep = Fields(values, "", report)
        parameters = read_parameters(sweep.section("parameters"))
        if not values["parameters"]:
            sweep.refuse("parameters", "has no parameter, expected at least one")
        search: dict[str, Any] = {"sampler": _method(sweep, parameters)}
        objective, budget = _metric(sweep)
        if "early_terminate" in sweep:
            search["scheduler"] = _early_terminate(sweep.section("early_terminate"))
        search |= _trials(sweep, search["sampler"], parameters)
        if budget:
            search["budget"] = budget
        command = _command(sweep)
        found: dict[str, Any] = {"objective": objective, "parameters": parameters, "search": search}
        if "name" in sweep:
            found = {"name": safe_name(sweep.text("name")), **found}
        sweep.finish(_UNUSED, known=["metric", "early_terminate", "run_cap", "name"])
        return Translation(found, "", command)


def _method(sweep: Fields, parameters: Mapping[str, Any]) -> str:
    method = sweep.text("method")
    if method not in _SAMPLERS:
        hint = "use bayes" if method == "custom" else f"expected one of: {', '.join(_SAMPLERS)}"
        sweep.refuse("method", f"{method!r} cannot be said", hint)
        return "tpe"
    if method == "bayes":
        sweep.note("method", "bayes becomes tpe, which needs no more packages; sampler gp is nearer")
    endless = [n for n, p in parameters.items() if isinstance(p, dict) and p["type"] == "float" and "step" not in p]
    if method == "grid" and endless:
        sweep.refuse("method", f"is grid, and {', '.join(endless)} has no finite list of values", "give it values or q")
    return _SAMPLERS[method]


def _metric(sweep: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the objective, and the budget that its target is."""
    if "metric" not in sweep:
        sweep.refuse("metric", "is missing, and a sweep here has an objective", "add metric: {name: ..., goal: ...}")
        return {}, {}
    metric = sweep.section("metric")
    metric.missing("name")
    found = {"metric": metric.text("name"), "goal": metric.word("goal", ("minimize", "maximize"), "minimize")}
    target = metric.number("target")
    metric.finish(
        {
            "impute": "a trial that failed has no value",
            "impute_while_running": "a trial that runs counts with what it has reported",
        }
    )
    return found, {} if target is None else {"target": target}


def _early_terminate(stop: Fields) -> dict[str, Any]:
    kind = stop.text("type")
    if kind != "hyperband":
        stop.refuse("type", f"{kind!r} cannot be said", "use hyperband")
    eta = stop.number("eta")
    eta = 3 if eta is None else eta
    if eta != int(eta) or eta < 2:
        stop.refuse("eta", f"is {eta}, and ours is a whole number of at least 2", f"use {max(2, round(eta))}")
    for key in ("min_iter", "max_iter", "s"):
        if key in stop:
            stop.note(
                key,
                f"is not used: it counts {stop.get(key)} logs of the metric, ours are steps: rungs go from min_steps "
                "(the first evaluation) to train.max_steps",
            )
    if "strict" in stop:
        stop.note("strict", "is not used: a trial goes on from a rung if it is among the best one in eta there")
    stop.finish()
    return {"name": "asha_stopping", "eta": int(eta)}


def _trials(sweep: Fields, sampler: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    cap = sweep.whole("run_cap")
    if cap is not None:
        if cap < 1:
            sweep.refuse("run_cap", f"is {cap}, expected at least 1")
        return {"trials": cap}
    if sampler == "grid":
        return {"trials": math.prod(_count(p) for p in parameters.values() if isinstance(p, dict))}
    sweep.report.notes.append("run_cap is not given: the sweep ends after 20 trials, or after --trials")
    return {"trials": 20}


def _count(parameter: Mapping[str, Any]) -> int:
    """Return how many values a parameter of a grid has."""
    if "choices" in parameter:
        return len(parameter["choices"])
    width: float = parameter["high"] - parameter["low"]
    step: float = parameter.get("step", 1)
    return math.floor(width / step + 1e-9) + 1


def _command(sweep: Fields) -> tuple[str, ...]:
    program, words = sweep.text("program"), [str(word) for word in sweep.items("command")]
    if not words:
        return ("python", program) if program else ()
    found: list[str] = []
    for word in words:
        if word == "${interpreter}":
            found.append("python")
        elif word == "${program}":
            found.append(program)
        elif word == "${args_no_hyphens}":
            found += [f"{name}={{{name}}}" for name in sweep.get("parameters", {})]
        elif word in ("${args_json}", "${args_json_file}", "${args_no_boolean_flags}"):
            sweep.note("command", f"has {word}, which a command here has not: flags are --NAME=VALUE")
        elif word not in ("${env}", "${args}", "/usr/bin/env"):
            found.append(word)
    return tuple(word for word in found if word)
