"""Recorded learning curves: a table with a row for each evaluation of each recorded trial.

Columns: ``trial``; ``step``, the global step; ``seconds`` since its process began; ``params.NAME``,
empty if the parameter was absent; ``metrics.TAG``. A CSV file (``.csv``, ``.csv.gz``) or Parquet.
`tuner curves NAME FILE` writes one from a real sweep.

A trial that is simulated has the curve of the recorded trial whose parameters are nearest: numbers by
their place between the bounds of the space, in the logarithm if they are drawn there; a choice that
differs counts as far as a number from bound to bound. Or it has a blend of several, weighted by one over
the squared distance (Shepard, "A Two-Dimensional Interpolation Function for Irregularly-Spaced Data",
1968), so that parameters which were recorded have their own curve and those between change steadily.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuner.backends.simulated.curves import Course
from tuner.domain.objective import Objective
from tuner.domain.spec import Simulation, TrainSettings
from tuner.errors import InvalidInput, Problem
from tuner.space import Categorical, Parameter, Space
from tuner.space.parameters import Params
from tuner.space.scaling import place

PARAMS = "params."
METRICS = "metrics."
_SAME = 1e-12  # squared distance below which parameters are the recorded ones


class TableCurves:
    """Curves of recorded trials; see ``Curves``.

    Args:
        file: The table.
        space: Of the parameters that will be asked for.
        objectives: What the table must have.
        train: The steps that it must have.
        settings: Noise.

    Raises:
        InvalidInput: The table cannot be read, or lacks what the sweep needs; all of it is named.
    """

    def __init__(
        self,
        file: Path,
        space: Space,
        objectives: Sequence[Objective],
        train: TrainSettings,
        settings: Simulation,
    ) -> None:
        frame = _read(file)
        _check(frame, file, space, objectives, train)
        self._space = space
        self._settings = settings
        self._curves: list[_Recorded] = []
        places = []
        for _, rows in frame.groupby("trial", sort=True):
            recorded = _Recorded(rows)
            if train.end in recorded.seconds:
                self._curves.append(recorded)
                places.append([_place(p, _read_cell(p, rows.iloc[0])) for p in space.parameters])
        if not self._curves:
            raise InvalidInput(
                str(file),
                [Problem("", f"no curve goes to step {train.end} (train.max_steps)", _steps_there(frame))],
            )
        self._places = np.array(places, float).reshape(len(places), len(space.parameters))
        self._kinds = np.array([isinstance(p, Categorical) for p in space.parameters], bool)

    def __len__(self) -> int:
        return len(self._curves)

    def nearest(self, params: Params) -> int:
        """Return the index of the recorded trial whose parameters are nearest, the first of equals."""
        return int(np.argmin(self._distances(params)))

    def begin(self, params: Params, seed: int) -> Course:
        if self._settings.neighbours == 1:
            return _Course([(1.0, self._curves[self.nearest(params)])], seed, self._settings.noise)
        away = self._distances(params)
        nearest = np.argsort(away, kind="stable")[: self._settings.neighbours]
        if away[nearest[0]] < _SAME:
            nearest = nearest[:1]
        weights = 1.0 / np.maximum(away[nearest], _SAME)
        shares = weights / weights.sum()
        blend = [(float(share), self._curves[i]) for share, i in zip(shares, nearest, strict=True)]
        return _Course(blend, seed, self._settings.noise)

    def _distances(self, params: Params) -> Any:
        """Return the squared distance of each recorded trial."""
        wanted = np.array([_place(p, params.get(p.name)) for p in self._space.parameters], float)
        away = np.abs(self._places - wanted)
        away = np.where(self._kinds & (away > 0), 1.0, away)
        away = np.where(np.isnan(self._places) & np.isnan(wanted), 0.0, away)
        away = np.where(np.isnan(away), 1.0, away)  # one has it, the other has not
        return (away**2).sum(axis=1)

    def fork(self, donor: Course, step: int, params: Params, seed: int) -> Course:
        del donor, step, params, seed
        raise ValueError("recorded curves do not say how a trial goes on from another one's checkpoint")


class _Recorded:
    """One recorded trial: seconds by step, metrics by step."""

    def __init__(self, rows: Any) -> None:
        steps = [int(step) for step in rows["step"]]
        self.seconds = dict(zip(steps, map(float, rows["seconds"]), strict=True))
        tags = [column for column in rows.columns if column.startswith(METRICS)]
        values = rows[tags].to_numpy(float)
        names = [tag[len(METRICS) :] for tag in tags]
        self.metrics = {step: dict(zip(names, row, strict=True)) for step, row in zip(steps, values, strict=True)}


class _Course:
    def __init__(self, blend: Sequence[tuple[float, _Recorded]], seed: int, noise: float) -> None:
        self._blend = blend
        self._seed = seed
        self._noise = noise

    def at(self, step: int) -> Mapping[str, float]:
        found = self._blend[0][1].metrics[step]
        if len(self._blend) > 1:
            found = {tag: math.fsum(share * one.metrics[step][tag] for share, one in self._blend) for tag in found}
        if self._noise:
            found = {
                tag: value + random.Random(f"{self._seed}/{tag}/{step}").gauss(0.0, self._noise)
                for tag, value in found.items()
            }
        return {tag: float(np.float32(value)) for tag, value in found.items()}

    def seconds(self, begin: int, end: int) -> float:
        return math.fsum(
            share * (one.seconds[end] - (one.seconds[begin] if begin else 0.0)) for share, one in self._blend
        )


def _read(file: Path) -> Any:
    import pandas

    try:
        if file.suffix == ".parquet":
            return pandas.read_parquet(file)
        return pandas.read_csv(file, keep_default_na=False, na_values=[""])
    except (OSError, ValueError, ImportError, UnicodeDecodeError) as error:
        raise InvalidInput(
            str(file), [Problem("simulation.curves", f"cannot be read as a table of curves: {error}")]
        ) from error


def _check(frame: Any, file: Path, space: Space, objectives: Sequence[Objective], train: TrainSettings) -> None:
    columns = list(frame.columns)
    problems = [
        Problem("", f"has no column {name!r}", "tuner curves NAME FILE writes such a table")
        for name in ("trial", "step", "seconds")
        if name not in columns
    ]
    recorded = ", ".join(c[len(PARAMS) :] for c in columns if c.startswith(PARAMS)) or "none"
    problems += [
        Problem(f"parameters.{p.name}", "is not among the parameters of the recorded trials", f"they have: {recorded}")
        for p in space.parameters
        if PARAMS + p.name not in columns
    ]
    tags = ", ".join(c[len(METRICS) :] for c in columns if c.startswith(METRICS)) or "none"
    problems += [
        Problem("objective", f"{o.metric!r} is not among the metrics of the recorded trials", f"they have: {tags}")
        for o in objectives
        if METRICS + o.metric not in columns
    ]
    if not problems:
        steps = set(frame["step"])
        grid = [*range(train.every, train.end, train.every), train.end]
        missing = [step for step in grid if step not in steps]
        if missing:
            problems.append(
                Problem("train", f"the recorded trials have no evaluation at step {missing[0]}", _steps_there(frame))
            )
    if problems:
        raise InvalidInput(str(file), problems)


def _steps_there(frame: Any) -> str:
    steps = sorted(set(frame["step"]))
    shown = ", ".join(map(str, steps[:3]))
    return f"steps that are there: {shown}, ... {steps[-1]}" if len(steps) > 3 else f"steps that are there: {shown}"


def _read_cell(parameter: Parameter, row: Any) -> Any:
    """Return a parameter's value as the space has it, or None if it was absent."""
    cell = row[PARAMS + parameter.name]
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if not isinstance(parameter, Categorical):
        return float(cell)
    return next((choice for choice in parameter.choices if written(choice) == written(cell)), cell)


def written(value: Any) -> str:
    """Return a parameter's value as a table holds it."""
    if isinstance(value, str):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def _place(parameter: Parameter, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(parameter, Categorical):
        choices = list(parameter.choices)
        return float(choices.index(value)) if value in choices else -1.0
    return place(parameter, float(value))
