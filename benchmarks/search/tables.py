"""Tables of real learning curves as tasks: a space, and the curve that any point of it would have.

A point has the blend of the three nearest configurations of the table in the unit cube, weighted by the
inverse of their squared distance; each evaluation is one step.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.search.judging import Costs
from benchmarks.search.tasks import DATA
from tuner.backends.simulated.table import TableCurves
from tuner.config import load_spec
from tuner.domain.objective import Objective
from tuner.domain.spec import SearchSettings, Simulation, SweepSpec, TrainSettings
from tuner.space import Float, Int, Parameter, Space
from tuner.space.conditions import holds
from tuner.space.parameters import Params
from tuner.space.scaling import place

if TYPE_CHECKING:
    from tuner.backends.simulated import Course

FOLDER = DATA / "curves"
RECORDED = ("digits", "housing")  # of our own, as a sweep records them; see benchmarks/data/README.md
_LCBENCH: tuple[Parameter, ...] = (
    Int("batch_size", 16, 512, log=True),
    Float("learning_rate", 1e-4, 1e-1, log=True),
    Float("max_dropout", 0.0, 1.0),
    Int("max_units", 64, 1024, log=True),
    Float("momentum", 0.1, 0.99),
    Int("num_layers", 1, 5),
    Float("weight_decay", 1e-5, 1e-1),
)


Curve = Callable[[Params], Any]
"""Returns the loss after each evaluation of a trial with these parameters."""


@dataclass(frozen=True)
class CurveTable:
    """A table of learning curves; see ``Curves`` of ``tuner.backends.simulated``.

    Attributes:
        losses: The loss of each configuration after each evaluation.
        curve: Of any parameters.
        costs: What trials on it take besides their steps.
    """

    name: str
    space: Space
    losses: Any
    curve: Curve
    costs: Costs = Costs()  # noqa: RUF009

    @property
    def steps(self) -> int:
        """Evaluations of a full training."""
        return int(self.losses.shape[1])

    @property
    def best(self) -> Any:
        """The best loss that each configuration shows."""
        return self.losses.min(axis=1)

    def regret(self, loss: Any) -> Any:
        """Return how far a loss is from the best known, in units of what the median configuration is."""
        lowest = self.best.min()
        return (loss - lowest) / (np.median(self.best) - lowest)

    def begin(self, params: Params, seed: int) -> Course:
        del seed
        return TableCourse(self.curve(params), self.costs)

    def fork(self, donor: Course, step: int, params: Params, seed: int) -> Course:
        del donor, step, params, seed
        raise ValueError("recorded curves do not say how a trial goes on from another one's checkpoint")

    def spec(self) -> SweepSpec:
        """Return a sweep on this table, its search still to be chosen."""
        return SweepSpec(
            name=self.name,
            objectives=(Objective("loss"),),
            space=self.space,
            train=TrainSettings(self.steps, 1),
            search=SearchSettings(),
            simulation=Simulation(task="table", record=False),
        )


@dataclass(frozen=True)
class TableCourse:
    """A trial whose loss after each evaluation is known; see ``Course`` of ``tuner.backends.simulated``."""

    losses: Any
    costs: Costs = Costs()  # noqa: RUF009

    def at(self, step: int) -> Mapping[str, float]:
        return {"loss": float(np.float32(self.losses[step - 1]))}

    def seconds(self, begin: int, end: int) -> float:
        return (self.costs.resume if begin else self.costs.start) + float(end - begin)


def tables() -> list[str]:
    """Return the names of the tables that are there."""
    return [*RECORDED, *sorted(file.name.removesuffix(".csv.gz") for file in FOLDER.glob("*.csv.gz"))]


@cache
def table(name: str) -> CurveTable:
    """Read a table by its name."""
    if name in RECORDED:
        return _recorded(name)
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", newline="") as file:
        head, *rows = csv.reader(file)
    cells = np.array(rows, float)
    first = next(index for index, column in enumerate(head) if column.startswith("loss_"))
    params, losses = cells[:, :first], cells[:, first:]
    space = Space(
        _LCBENCH
        if name.startswith("lc_")
        else tuple(
            Float(column, float(values.min()), float(values.max()), log=True)
            for column, values in zip(head[:first], params.T, strict=True)
        )
    )
    points = np.array([[place(p, v) for p, v in zip(space.parameters, row, strict=True)] for row in params])
    return CurveTable(name, space, losses, blended(space, points, losses))


def blended(space: Space, points: Any, losses: Any) -> Curve:
    """Return the curves between configurations that stand at these points of the unit cube."""

    def curve(params: Params) -> Any:
        at = np.array([place(p, float(params[p.name])) for p in space.parameters])  # type: ignore[arg-type]
        away = ((points - at) ** 2).sum(axis=1)
        nearest = np.argsort(away, kind="stable")[:3]
        if away[nearest[0]] < 1e-12:
            return losses[nearest[0]]
        weights = 1.0 / away[nearest]
        return (weights / weights.sum()) @ losses[nearest]

    return curve


def _recorded(name: str) -> CurveTable:
    """Read a table that a sweep recorded, as the simulated backend reads it."""
    import pandas

    spec = load_spec(DATA / f"{name}.yaml")
    assert spec.simulation is not None
    (objective,), train, file = spec.objectives, spec.train, Path(spec.simulation.curves)
    grid = range(train.every, train.end + 1, train.every)
    values = pandas.read_csv(file).pivot(index="trial", columns="step", values=f"metrics.{objective.metric}")
    sign = objective.goal.loss(1.0)
    curves = TableCurves(file, spec.space, spec.objectives, train, spec.simulation)

    def curve(params: Params) -> Any:
        # Peers that know no conditions draw parameters which then do not exist.
        course = curves.begin({p.name: params[p.name] for p in spec.space.parameters if holds(p, params)}, 0)
        return np.array([sign * course.at(step)[objective.metric] for step in grid])

    return CurveTable(name, spec.space, sign * values[list(grid)].dropna().to_numpy(), curve)
