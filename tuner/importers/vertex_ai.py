"""Vertex AI: a HyperparameterTuningJob, as JSON of the API or YAML of ``gcloud ai hp-tuning-jobs create --config``.

After the reference of ``projects.locations.hyperparameterTuningJobs`` and of ``StudySpec``. A bare StudySpec,
with keys in camel case or in snake case as the Python client has them, is taken, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.importers._fields import Fields, as_whole, words
from tuner.importers._google import GOALS, SAMPLERS, camel, check_grid, failures, positive, scale_of
from tuner.importers._parameters import bounded, discrete, texts
from tuner.importers.base import Report, Translation
from tuner.importers.writing import safe_name
from tuner.text import parse_duration

_OF = {
    "MEASUREMENT_SELECTION_TYPE_UNSPECIFIED": "last",
    "LAST_MEASUREMENT": "last",
    "BEST_MEASUREMENT": "best",
}
_KINDS = ("doubleValueSpec", "integerValueSpec", "categoricalValueSpec", "discreteValueSpec")
_CONDITIONS = {
    "parentDiscreteValues": "discreteValueSpec",
    "parentIntValues": "integerValueSpec",
    "parentCategoricalValues": "categoricalValueSpec",
}
_RECORD = "it records the job, not the search"
_RECORDED = ("name", "state", "trials", "createTime", "startTime", "endTime", "updateTime", "error", "labels")
_UNUSED = {
    **dict.fromkeys((*_RECORDED, "satisfiesPzs", "satisfiesPzi"), _RECORD),
    "encryptionSpec": "records stay on this machine",
}


class VertexAI:
    """See ``Importer``."""

    name = "Vertex AI"

    def recognises(self, values: Mapping[str, Any]) -> bool:
        values = camel(values)
        return "studySpec" in values or _is_study(values)

    def translate(self, values: Mapping[str, Any], report: Report) -> Translation:
        values = camel(values)
        if _is_study(values):
            values = {"studySpec": values}
        job = Fields(values, "", report)
        study = job.section("studySpec")
        search: dict[str, Any] = {"trials": positive(job, "maxTrialCount")}
        search["workers"] = positive(job, "parallelTrialCount") or 1
        if search["trials"] is None:
            search["trials"] = 1
            report.notes.append("maxTrialCount is not given, which is 1 there: raise it with --trials")
        search |= failures(job, "maxFailedTrialCount")
        translated = _study(study, search)
        if "displayName" in job:
            translated = {"name": safe_name(job.text("displayName")), **translated}
        command = _command(job)
        job.finish(_UNUSED)
        return Translation(translated, "", command)


def _is_study(values: Mapping[str, Any]) -> bool:
    given = values.get("parameters")
    return isinstance(given, list) and any(isinstance(item, dict) and "parameterId" in item for item in given)


def _study(study: Fields, search: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    if not study.items("parameters"):
        study.refuse("parameters", "has no parameter, expected at least one")
    for fields in study.sections("parameters"):
        _add(fields, {}, parameters, defaults)
    sampler = SAMPLERS[study.word("algorithm", list(SAMPLERS), "ALGORITHM_UNSPECIFIED")]
    check_grid(sampler, {name: p for name, p in parameters.items() if p}, study)
    of = _OF[study.word("measurementSelectionType", list(_OF), "LAST_MEASUREMENT")]
    found = _objectives(study, of)
    search = {"sampler": sampler, **search, **_stopping(study)}
    if "studyStoppingConfig" in study:
        search = _limits(study.section("studyStoppingConfig"), search)
    if defaults:
        search["enqueue"] = [defaults]
        study.report.notes.append("defaultValue of parameters: tried first, by search.enqueue")
    study.finish(
        {"observationNoise": "each set of parameters is tried once"},
        known=["transferLearningConfig"],
    )
    return {"objective": found, "parameters": parameters, "search": search}


def _objectives(study: Fields, of: str) -> Any:
    found = []
    for metric in study.sections("metrics"):
        metric.missing("metricId")
        goal = GOALS[metric.word("goal", list(GOALS), "GOAL_TYPE_UNSPECIFIED")]
        entry = {"metric": metric.text("metricId"), "goal": goal}
        found.append(entry if of == "last" else {**entry, "of": of})
        if "safetyConfig" in metric:
            metric.refuse("safetyConfig", "a limit on a metric cannot be said", "leave it out: it is an objective then")
        metric.finish()
    if not found:
        study.refuse("metrics", "has no metric, expected at least one")
    return found[0] if len(found) == 1 else found


def _add(fields: Fields, when: dict[str, Any], parameters: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Add a parameter, and those that depend on it."""
    if fields.missing("parameterId"):
        return
    name = fields.text("parameterId")
    kinds = [kind for kind in _KINDS if kind in fields]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "no value spec"
        fields.refuse("parameterId", f"{name!r} has {found}", f"expected one of: {', '.join(_KINDS)}")
        return
    (kind,) = kinds
    scale = scale_of(fields, "SCALE_TYPE_UNSPECIFIED", kind in _KINDS[2:])
    spec = fields.section(kind)
    found_parameter = _parameter(spec, kind, scale)
    default = _default(spec, kind, found_parameter)
    if default is not None and name not in defaults:
        defaults[name] = default
    spec.finish()
    _keep(name, found_parameter, when, parameters, fields)
    for branch in fields.sections("conditionalParameterSpecs"):
        _add_branch(branch, name, kind, parameters, defaults)
    fields.finish()


def _default(spec: Fields, kind: str, found: dict[str, Any] | None) -> str | float | int | None:
    """Return the value that is tried first; None if there is none, or a problem."""
    if "defaultValue" not in spec:
        return None
    if kind == "categoricalValueSpec":
        default: str | float | int | None = spec.text("defaultValue")
    else:
        default = spec.whole("defaultValue") if kind == "integerValueSpec" else spec.number("defaultValue")
    if default is None or found is None:
        return None
    values = found.get("values", found.get("choices"))
    if not (default in values if values is not None else found["low"] <= default <= found["high"]):
        spec.refuse("defaultValue", f"found {default!r}, which is none of the parameter's values", "leave it out")
        return None
    return default


def _parameter(spec: Fields, kind: str, scale: str) -> dict[str, Any] | None:
    if kind == "categoricalValueSpec":
        return texts(spec, "values")
    if kind == "discreteValueSpec":
        return discrete(spec, "values", most=1000)
    return bounded(spec, ("minValue", "maxValue"), kind == "integerValueSpec", scale)


def _keep(
    name: str, found: dict[str, Any] | None, when: dict[str, Any], parameters: dict[str, Any], fields: Fields
) -> None:
    """Add a parameter, or to one that is there the values of its parent under which it exists, too."""
    before = parameters.get(name)
    entry = None if found is None else {**found, "when": when} if when else found
    if before is None or entry is None:
        parameters[name] = entry
        return
    same = {key: value for key, value in before.items() if key != "when"} == found
    if not same or not when or set(before.get("when", {})) != set(when):
        fields.refuse(
            "parameterId",
            f"{name!r} is specified twice, in different ways or under different parents",
            "give the two different names",
        )
        return
    for parent, values in when.items():
        before["when"][parent] = [*before["when"][parent], *values]


def _add_branch(branch: Fields, parent: str, kind: str, parameters: dict[str, Any], defaults: dict[str, Any]) -> None:
    given = [key for key in _CONDITIONS if key in branch]
    if len(given) != 1 or _CONDITIONS[given[0]] != kind:
        expected = next((key for key, of in _CONDITIONS.items() if of == kind), "")
        branch.refuse(
            given[0] if given else "parameterSpec",
            f"found {' and '.join(given) or 'no condition'} under {parent!r}, which has a {kind}",
            f"expected {expected}" if expected else "a double cannot be a parent; make it discrete",
        )
        return
    condition = branch.section(given[0])
    of_parent = parameters.get(parent) or {}
    values: list[Any] = condition.items("values")
    if kind == "categoricalValueSpec":
        values = [str(value) for value in values]
    else:
        # The reference matches numbers within 1e-10; what stands here is the parent's own number.
        own = of_parent.get("values", [])
        numbers = [as_whole(value) if as_whole(value) is not None else value for value in values]
        values = [next((o for o in own if _near(o, n)), n) for n in numbers]
    allowed = of_parent.get("choices", of_parent.get("values"))
    outside = [v for v in values if (v not in allowed if allowed is not None else not _inside(v, of_parent))]
    if outside or not values:
        condition.refuse("values", f"found {outside or values}, expected values of {parent!r}")
        return
    condition.finish()
    if not branch.missing("parameterSpec"):
        _add(branch.section("parameterSpec"), {parent: values}, parameters, defaults)
    branch.finish()


def _near(one: Any, other: Any) -> bool:
    return isinstance(other, (int, float)) and abs(one - other) <= 1e-10


def _inside(value: Any, parent: Mapping[str, Any]) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and bool(parent)
        and parent["low"] <= value <= parent["high"]
    )


def _stopping(study: Fields) -> dict[str, Any]:
    """Return the scheduler."""
    found: dict[str, Any] = {}
    if "medianAutomatedStoppingSpec" in study:
        found["scheduler"] = "median"
        median = study.section("medianAutomatedStoppingSpec")
        if median.flag("useElapsedDuration"):
            median.note("useElapsedDuration", "is not used: trials are compared at equal steps, not after equal time")
        median.finish()
    for key in ("decayCurveStoppingSpec", "convexAutomatedStoppingSpec", "convexStopConfig"):
        if key in study:
            study.refuse(key, "cannot be said: no scheduler here predicts curves", "use medianAutomatedStoppingSpec")
    if "transferLearningConfig" in study:
        study.refuse("transferLearningConfig", "cannot be said: its studies are not here", "run with --from")
    return found


def _limits(stopping: Fields, search: dict[str, Any]) -> dict[str, Any]:
    """Return the search with the limits of a ``studyStoppingConfig``."""
    found = dict(search)
    trials, plateau = positive(stopping, "maxNumTrials"), positive(stopping, "maxNumTrialsNoProgress")
    if trials is not None:
        found["trials"] = min(found["trials"], trials) if found["trials"] > 1 else trials
    if plateau is not None:
        found["budget"] = {"plateau": plateau}
    longest = stopping.section("maximumRuntimeConstraint")
    if "maxDuration" in longest:
        try:
            found["timeout"] = f"{parse_duration(longest.text('maxDuration')):g}s"
        except ValueError as error:
            longest.refuse("maxDuration", str(error))
    if "endTime" in longest:
        longest.refuse("endTime", "a time of day cannot be said", "use maxDuration")
    longest.finish()
    if "maxDurationNoProgress" in stopping:
        stopping.refuse("maxDurationNoProgress", "is in time, and cannot be said", "use maxNumTrialsNoProgress")
    for key in ("minimumRuntimeConstraint", "minNumTrials"):
        if key in stopping:
            stopping.refuse(key, "a least of time or trials cannot be said", "leave it out")
    stopping.finish({"shouldStopAsap": "running trials are waited for, unless it is time that ends the sweep"})
    return found


def _command(job: Fields) -> tuple[str, ...]:
    """Return how the first worker pool started the trainer."""
    if "trialJobSpec" not in job:
        return ()
    job.note("trialJobSpec", "is not used: trials run where tuner runs")
    spec = job.get("trialJobSpec")
    pools = camel(spec).get("workerPoolSpecs") if isinstance(spec, dict) else None
    first = pools[0] if isinstance(pools, list) and pools and isinstance(pools[0], dict) else {}
    package, container = camel(first.get("pythonPackageSpec")), camel(first.get("containerSpec"))
    if isinstance(package, dict) and package.get("pythonModule"):
        return ("python", "-m", str(package["pythonModule"]), *words(package.get("args")))
    if isinstance(container, dict):
        return (*words(container.get("command")), *words(container.get("args")))
    return ()
