"""The shape of a search space file: which keys there are and what type each holds.

Pydantic finds the mistakes; what they are called is said here, in the words of the file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)
from pydantic import ValidationError as PydanticError

from tuner.durations import parse_duration
from tuner.errors import Problem
from tuner.sizes import parse_size
from tuner.spacefile.options import SAMPLERS, SCHEDULERS, Options
from tuner.spacefile.text import describe, near

Count = Annotated[StrictInt, Field(ge=1)]
Number = StrictInt | StrictFloat
Share = Annotated[Number, Field(ge=0, le=1)]
NotNegative = Annotated[Number, Field(ge=0)]


def _duration(value: Any) -> Any:
    parse_duration(value)
    return value


def _size(value: Any) -> Any:
    parse_size(value)
    return value


Size = Annotated[StrictInt | StrictStr, BeforeValidator(_size)]
Duration = Annotated[StrictInt | StrictFloat | StrictStr, BeforeValidator(_duration)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MeanShape(_Shape):
    """The mean of the last evaluations."""

    mean: Count


class ObjectiveShape(_Shape):
    """A metric of the evaluation, which way it improves, and what counts of its curve."""

    metric: Annotated[StrictStr, Field(min_length=1)]
    goal: Literal["minimize", "maximize"] = "minimize"
    of: Literal["last", "best"] | MeanShape = "last"
    folder: StrictStr = ""


class ConstraintShape(_Shape):
    """Bounds on a metric of the evaluation, and what counts of its curve."""

    min: Number | None = None
    max: Number | None = None
    of: Literal["last", "best"] | MeanShape = "last"


class TrainShape(_Shape):
    """How long a trial trains and how often it is evaluated, in global steps; a command may decide itself."""

    max_steps: Count | None = None
    evaluate_every: Count | None = None
    checkpoint_input: Literal["auto"] | StrictBool = "auto"


class BudgetShape(_Shape):
    """Other limits than trials and time."""

    steps: Count | None = None
    target: Number | None = None
    plateau: Count | None = None


class SearchShape(_Shape):
    """How parameters are chosen, how trials are judged, when the sweep ends."""

    sampler: StrictStr | dict[str, Any] = "tpe"
    scheduler: StrictStr | dict[str, Any] = "none"
    trials: Count = 20
    seed: Annotated[StrictInt, Field(ge=0, lt=2**32)] = 0
    workers: Count | None = None
    timeout: Duration | None = None
    trial_timeout: Duration | None = None
    retries: Annotated[StrictInt, Field(ge=0)] = 1
    max_failed_trials: Annotated[StrictInt, Field(ge=0)] | None = None
    max_consecutive_failures: Count = 3
    nan: Literal["fail", "worst"] = "fail"
    repeats: Count = 1
    budget: BudgetShape = BudgetShape()
    max_checkpoint_bytes: Size | None = None
    enqueue: list[dict[str, Any]] = []


class RecordShape(_Shape):
    """How a sweep is recorded."""

    plots: StrictBool = True
    system_metrics: StrictBool = False
    training: list[StrictStr] = ["loss"]


class StragglersShape(_Shape):
    """Simulated lives that are slow: how many of all, and how many times as long they take."""

    share: Share
    factor: Annotated[Number, Field(ge=1)] = 5.0


class SimulationShape(_Shape):
    """Where simulated trials have their learning curves from, and how their workers behave."""

    curves: StrictStr | None = None
    task: StrictStr | None = None
    neighbours: Count = 1
    noise: NotNegative = 0.0
    seconds_per_step: NotNegative = 0.01
    startup: Duration | None = None
    reaction: Duration | None = None
    stragglers: StragglersShape | None = None
    failures: Share = 0.0
    event_files: StrictBool = False
    record: StrictBool = True


class ResourcesShape(_Shape):
    """What each trial gets of the machines: cores, GPUs (0.5: two trials a device), Ray's custom resources."""

    cpus: Annotated[Number, Field(gt=0)] | None = None
    gpus: Annotated[Number, Field(ge=0)] | None = None
    custom: dict[str, Annotated[Number, Field(ge=0)]] = {}


class ClusterShape(_Shape):
    """Each trial as a TensorFlow cluster: tasks beside its chief, which is always there."""

    workers: Annotated[StrictInt, Field(ge=0, le=1000)] = 1
    ps: Annotated[StrictInt, Field(ge=0, le=1000)] = 1
    evaluator: StrictBool = True


class RayShape(_Shape):
    """The Ray cluster: its address, where trials' files travel, the folder that is copied to its nodes."""

    address: StrictStr = ""
    storage: StrictStr = ""
    working_dir: StrictStr = ""


class FileShape(_Shape):
    """A search space file."""

    name: StrictStr = ""
    description: StrictStr = ""
    model: StrictStr | None = None
    objective: ObjectiveShape | Annotated[list[ObjectiveShape], Field(min_length=1)]
    constraints: dict[str, ConstraintShape] = {}
    parameters: dict[str, Any] = {}
    train: TrainShape = TrainShape()
    search: SearchShape = SearchShape()
    record: RecordShape = RecordShape()
    simulation: SimulationShape | None = None
    resources: ResourcesShape = ResourcesShape()
    ray: RayShape = RayShape()
    cluster: ClusterShape | None = None


KEYS = tuple(FileShape.model_fields)
_MODELS: dict[str, type[BaseModel]] = {
    "": FileShape,
    "objective": ObjectiveShape,
    "constraints": ConstraintShape,
    "train": TrainShape,
    "search": SearchShape,
    "search.budget": BudgetShape,
    "objective.of": MeanShape,
    "record": RecordShape,
    "simulation": SimulationShape,
    "simulation.stragglers": StragglersShape,
    "resources": ResourcesShape,
    "ray": RayShape,
    "cluster": ClusterShape,
}
_UNION_PARTS = {
    "ObjectiveShape",
    "MeanShape",
    "str",
    "int",
    "float",
    "bool",
    "literal['last','best']",
    "literal['auto']",
}


def check_shape(values: dict[str, Any]) -> list[Problem]:
    """Return every mistake in keys and types; none where the shape is right."""
    problems: dict[str, Problem] = {}
    try:
        FileShape.model_validate(values)
    except PydanticError as error:
        for found in error.errors(include_url=False):
            where = _where(found["loc"])
            if where.startswith("parameters."):
                continue
            problem = _problem(where, found, values)
            problems.setdefault(problem.where, problem)
    search = values.get("search")
    if isinstance(search, dict):
        for key, kinds in (("sampler", SAMPLERS), ("scheduler", SCHEDULERS)):
            for problem in _check_named(f"search.{key}", search.get(key, next(iter(kinds))), kinds):
                problems.setdefault(problem.where, problem)
    return [p for p in problems.values() if not any(key.startswith(f"{p.where}.") for key in problems)]


def _check_named(where: str, value: Any, kinds: Any) -> list[Problem]:
    name = value.get("name") if isinstance(value, dict) else value
    if not isinstance(name, str):
        return [Problem(where, f"found {describe(value)}, expected a name, or a mapping with a name and its options")]
    if name not in kinds:
        return [Problem(where, f"unknown {where.split('.')[1]} {name!r}", near(name, list(kinds)))]
    options = {key: option for key, option in value.items() if key != "name"} if isinstance(value, dict) else {}
    return _check_options(where, name, options, kinds[name])


def _check_options(where: str, name: str, options: dict[str, Any], known: Options) -> list[Problem]:
    problems = []
    for key, option in options.items():
        if key not in known:
            hint = near(key, list(known)) or f"{name} has no options"
            problems.append(Problem(f"{where}.{key}", f"is no option of {name}", hint))
        elif not isinstance(option, known[key]) or (isinstance(option, bool) and known[key] is not bool):
            kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
            names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", list: "a list"}
            expected = "a number" if float in kinds else names[kinds[0]]  # type: ignore[operator, index]
            problems.append(Problem(f"{where}.{key}", f"found {describe(option)}, expected {expected}"))
    return problems


def _where(loc: tuple[int | str, ...]) -> str:
    parts = [
        str(part)
        for part in loc
        if str(part) not in _UNION_PARTS
        and not str(part).startswith(("constrained-", "list[", "literal[", "function-"))
    ]
    return ".".join(parts)


def _problem(where: str, found: Any, values: dict[str, Any]) -> Problem:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    key = where.rpartition(".")[2]
    if kind == "missing":
        return Problem(where, "is missing")
    if kind == "extra_forbidden":
        parent = ".".join(part for part in where.split(".")[:-1] if not part.isdecimal())
        inside = "constraints" if parent.startswith("constraints.") else parent
        fields = list(_MODELS.get(inside, FileShape).model_fields)
        return Problem(where, f"unknown key {key!r}", near(key, fields))
    value = _lookup(values, where, value)
    if kind in ("greater_than_equal", "greater_than", "less_than", "less_than_equal") and not isinstance(value, bool):
        words = {"ge": "at least", "gt": "more than", "lt": "less than", "le": "at most"}
        bound = next(f"{words[key]} {limit}" for key, limit in context.items() if key in words)
        return Problem(where, f"is {value}, expected {bound}")
    if kind == "value_error":
        return Problem(where, str(context["error"]))
    return Problem(where, f"found {describe(value)}, expected {_expected(where, kind, context)}")


def _expected(where: str, kind: str, context: Any) -> str:
    words = {
        "train.checkpoint_input": "auto, true or false",
        "objective": "a mapping with metric and goal, or a list of such",
        "search.sampler": "a name, or a mapping with a name and its options",
        "search.scheduler": "a name, or a mapping with a name and its options",
        "search.timeout": "a duration like 90s, 15m or 2h",
        "search.max_checkpoint_bytes": "a size like 200MB or 5GB",
        "search.trial_timeout": "a duration like 90s, 15m or 2h",
        "simulation.startup": "a duration like 90s, 15m or 2h",
        "simulation.reaction": "a duration like 90s, 15m or 2h",
    }
    if where in words:
        return words[where]
    if where.endswith(".of"):
        return "last, best or {mean: k}"
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("int"):
        return "a whole number"
    if kind.startswith("float"):
        return "a number"
    if kind.startswith("string"):
        return "text"
    if kind.startswith(("dict", "model")):
        return "a mapping"
    if kind.startswith("list"):
        return "a list"
    return kind.replace("_", " ")


def _lookup(values: Any, where: str, default: Any) -> Any:
    """Return the value at a dotted path of the file."""
    for part in where.split("."):
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and part.isdecimal() and int(part) < len(values):
            values = values[int(part)]
        else:
            return default
    return values
