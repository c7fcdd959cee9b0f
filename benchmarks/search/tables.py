"""Tables of real learning curves as tasks: a space, and the curve that any point of it would have.

A point has the blend of the three nearest configurations of the table in the unit cube, weighted by the
inverse of their squared distance; each evaluation is one step.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.search.judging import Costs
from tuner.domain.objective import Objective
from tuner.domain.spec import SearchSettings, Simulation, SweepSpec, TrainSettings
from tuner.space import Float, Int, Parameter, Space
from tuner.space.parameters import Params
from tuner.space.scaling import place

if TYPE_CHECKING:
    from tuner.backends.simulated import Course

FOLDER = Path(__file__).parents[1] / "data" / "curves"
_LCBENCH: tuple[Parameter, ...] = (
    Int("batch_size", 16, 512, log=True),
    Float("learning_rate", 1e-4, 1e-1, log=True),
    Float("max_dropout", 0.0, 1.0),
    Int("max_units", 64, 1024, log=True),
    Float("momentum", 0.1, 0.99),
    Int("num_layers", 1, 5),
    Float("weight_decay", 1e-5, 1e-1),
)


@dataclass(frozen=True)
class CurveTable:
    """A table of learning curves; see ``Curves`` of ``tuner.backends.simulated``.

    Attributes:
        points: The configurations in the unit cube.
        losses: The loss of each after each evaluation.
        costs: What trials on it take besides their steps.
    """

    name: str
    space: Space
    points: Any
    losses: Any
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
        at = np.array([place(p, float(params[p.name])) for p in self.space.parameters])  # type: ignore[arg-type]
        return _Course(self.curve(at), self.costs)

    def fork(self, donor: Course, step: int, params: Params, seed: int) -> Course:
        del donor, step, params, seed
        raise ValueError("recorded curves do not say how a trial goes on from another one's checkpoint")

    def curve(self, at: Any) -> Any:
        """Return the curve of a point of the unit cube."""
        away = ((self.points - at) ** 2).sum(axis=1)
        nearest = np.argsort(away, kind="stable")[:3]
        if away[nearest[0]] < 1e-12:
            return self.losses[nearest[0]]
        weights = 1.0 / away[nearest]
        return (weights / weights.sum()) @ self.losses[nearest]

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
class _Course:
    losses: Any
    costs: Costs

    def at(self, step: int) -> Mapping[str, float]:
        return {"loss": float(np.float32(self.losses[step - 1]))}

    def seconds(self, begin: int, end: int) -> float:
        return (self.costs.resume if begin else self.costs.start) + float(end - begin)


def tables() -> list[str]:
    """Return the names of the tables that are there."""
    return sorted(file.name.removesuffix(".csv.gz") for file in FOLDER.glob("*.csv.gz"))


@cache
def table(name: str) -> CurveTable:
    """Read a table by its name."""
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
    return CurveTable(name, space, points, losses)
