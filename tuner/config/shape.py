"""The shape of a search space file: which keys there are and what type each holds."""

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

from tuner.text import parse_duration, parse_size
from tuner.user_class import PLACE

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

    method: StrictStr | dict[str, Any] | None = None
    sampler: StrictStr | dict[str, Any] = "tpe"
    scheduler: StrictStr | dict[str, Any] = "none"
    trials: Count = 20
    seed: Annotated[StrictInt, Field(ge=0, lt=2**32)] = 0
    workers: Count | None = None
    timeout: Duration | None = None
    trial_timeout: Duration | None = None
    no_progress_timeout: Duration | None = None
    retries: Annotated[StrictInt, Field(ge=0)] = 1
    max_failed_trials: Annotated[StrictInt, Field(ge=0)] | None = None
    max_consecutive_failures: Count = 3
    nan: Literal["fail", "worst"] = "fail"
    repeats: Count = 1
    budget: BudgetShape = BudgetShape()
    max_checkpoint_bytes: Size | None = None
    enqueue: list[dict[str, Any]] = []


class OwnShape(BaseModel):
    """A class of the user's own, with its options."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[StrictStr, Field(pattern=PLACE)]


class RecordShape(_Shape):
    """How a sweep is recorded."""

    plots: StrictBool = True
    system_metrics: StrictBool = False
    training: list[StrictStr] = ["loss"]
    recorders: list[Annotated[StrictStr, Field(pattern=PLACE)] | OwnShape] = []


class NotifyShape(_Shape):
    """Who is told when a sweep ends or fails: a command of the shell, an address that takes JSON."""

    command: StrictStr = ""
    url: StrictStr = ""


class StragglersShape(_Shape):
    """Simulated attempts that are slow: how many of all, and how many times as long they take."""

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
    notify: NotifyShape = NotifyShape()
    simulation: SimulationShape | None = None
    resources: ResourcesShape = ResourcesShape()
    ray: RayShape = RayShape()
    cluster: ClusterShape | None = None


KEYS = tuple(FileShape.model_fields)
SECTIONS: dict[str, type[BaseModel]] = {
    "": FileShape,
    "objective": ObjectiveShape,
    "constraints": ConstraintShape,
    "train": TrainShape,
    "search": SearchShape,
    "search.budget": BudgetShape,
    "objective.of": MeanShape,
    "record": RecordShape,
    "notify": NotifyShape,
    "simulation": SimulationShape,
    "simulation.stragglers": StragglersShape,
    "resources": ResourcesShape,
    "ray": RayShape,
    "cluster": ClusterShape,
}
