"""AI Platform Training: the ``hptuning_config.yaml`` of ``gcloud ai-platform jobs submit training --config``.

After the reference of ``projects.jobs``: TrainingInput, HyperparameterSpec and ParameterSpec. A whole job
(with ``trainingInput`` beside ``jobId``) and a bare HyperparameterSpec are taken, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.importers._fields import Fields
from tuner.importers._google import GOALS, SAMPLERS, camel, check_grid, failures, positive, scale_of
from tuner.importers._parameters import bounded, discrete, texts
from tuner.importers.base import Report, Translation
from tuner.text import parse_duration

METRIC = "training/hptuning/metric"
_TYPES = ("DOUBLE", "INTEGER", "CATEGORICAL", "DISCRETE")
_HERE = "trials run where tuner runs"


class AIPlatform:
    """See ``Importer``."""

    name = "AI Platform"

    def recognises(self, values: Mapping[str, Any]) -> bool:
        values = camel(values)
        bare = values.get("hyperparameters")
        return "trainingInput" in values or (isinstance(bare, dict) and "params" in bare) or _is_spec(values)

    def translate(self, values: Mapping[str, Any], report: Report) -> Translation:
        values = camel(values)
        if _is_spec(values):
            values = {"hyperparameters": values}
        if "trainingInput" not in values:
            return _translate(Fields(values, "", report))
        job = Fields(values, "", report)
        found = _translate(job.section("trainingInput"))
        job.finish({"*": "it names or records the job, not the search"})
        return found


def _is_spec(values: Mapping[str, Any]) -> bool:
    return "params" in values and "parameters" not in values and "objective" not in values


def _translate(job: Fields) -> Translation:
    job.missing("hyperparameters")
    spec = job.section("hyperparameters")
    parameters = {}
    for fields in spec.sections("params"):
        name = fields.text("parameterName")
        if fields.missing("parameterName", "type"):
            continue
        if name in parameters:
            fields.refuse("parameterName", f"{name!r} is defined twice")
        parameters[name] = _parameter(fields)
    if not spec.items("params"):
        spec.refuse("params", "has no parameter, expected at least one")
    sampler = SAMPLERS[spec.word("algorithm", list(SAMPLERS), "ALGORITHM_UNSPECIFIED")]
    check_grid(sampler, {name: p for name, p in parameters.items() if p}, spec)
    search: dict[str, Any] = {"sampler": sampler, "trials": positive(spec, "maxTrials") or 1}
    search["workers"] = positive(spec, "maxParallelTrials") or 1
    if spec.flag("enableTrialEarlyStopping"):
        search["scheduler"] = "median"
    search |= failures(spec, "maxFailedTrials")
    metric = spec.text("hyperparameterMetricTag", METRIC)
    goal = GOALS[spec.word("goal", list(GOALS), "MAXIMIZE")]
    warm_start = spec.text("resumePreviousJobId")
    spec.finish()
    search |= _time(job)
    command = _command(job)
    job.finish({"*": _HERE})
    values = {"objective": {"metric": metric, "goal": goal}, "parameters": parameters, "search": search}
    return Translation(values, warm_start, command)


def _parameter(fields: Fields) -> dict[str, Any] | None:
    kind = fields.word("type", _TYPES, "DOUBLE")
    scale = scale_of(fields, "NONE", kind in ("CATEGORICAL", "DISCRETE"))
    if kind == "CATEGORICAL":
        found = texts(fields, "categoricalValues")
    elif kind == "DISCRETE":
        found = discrete(fields, "discreteValues", most=1000)
    else:
        found = bounded(fields, ("minValue", "maxValue"), kind == "INTEGER", scale)
    others = ("minValue", "maxValue", "categoricalValues", "discreteValues")
    fields.finish(dict.fromkeys(others, f"a parameter of type {kind} has none"))
    return found


def _time(job: Fields) -> dict[str, Any]:
    """Return the sweep's time from ``scheduling``, which there cancels the job and here ends the sweep."""
    if "scheduling" not in job:
        return {}
    scheduling = job.section("scheduling")
    text = scheduling.text("maxRunningTime")
    scheduling.finish({"*": _HERE})
    if not text:
        return {}
    try:
        return {"timeout": f"{parse_duration(text):g}s"}
    except ValueError as error:
        scheduling.refuse("maxRunningTime", str(error))
        return {}


def _command(job: Fields) -> tuple[str, ...]:
    """Return how the service started the trainer, with its folder for the job's."""
    module = job.text("pythonModule")
    arguments = [str(argument) for argument in job.items("args")]
    if not module:
        if arguments:
            job.note("args", "belongs into the command: tuner run FILE -- COMMAND")
        return ()
    if "jobDir" in job:
        job.note("jobDir", "is not used: each trial has a folder of its own")
        arguments += ["--job-dir", "{trial_dir}"]
    return ("python", "-m", module, *arguments)
