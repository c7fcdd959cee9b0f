"""A search space as a unit cube: what a model of the parameters learns in, and where candidates are drawn.

A point has a coordinate from 0 to 1 for each parameter, on the line on which it is drawn; one of several values
is the middle of its part of that line. Its features are what distances are measured in: numbers as they stand,
a column for each choice, and the middle, or no choice at all, for a parameter that is absent.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tuner.space import Categorical, Discrete, Float, Int, Parameter, Space
from tuner.space.conditions import holds
from tuner.space.drawing import line, share_of, value_at
from tuner.space.parameters import Params, ParamValue

Points = Any
"""Array of points by parameters."""


class Cube:
    """Translate between parameters, points and features.

    Args:
        space: The parameters.

    Attributes:
        parameters: How many there are.
        groups: Parameter of each column of the features.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._order = {parameter.name: index for index, parameter in enumerate(space.parameters)}
        self.parameters = len(space.parameters)
        widths = [len(p.choices) if isinstance(p, Categorical) else 1 for p in space.parameters]
        self.groups = np.repeat(np.arange(self.parameters), widths)

    def point(self, params: Params) -> Points:
        """Return the point of a trial's parameters; absent ones stand in the middle."""
        shares = [share_of(p, params[p.name]) if p.name in params else 0.5 for p in self._space.parameters]
        return np.array(shares)

    def params(self, point: Points) -> dict[str, ParamValue]:
        """Return the parameters of a point, those that exist."""
        drawn: dict[str, ParamValue] = {}
        for parameter, at in zip(self._space.parameters, point, strict=True):
            if holds(parameter, drawn):
                drawn[parameter.name] = value_at(parameter, float(at))
        return drawn

    def features(self, points: Points) -> Points:
        """Return the features of points."""
        there = self._present(points)
        columns = []
        for index, parameter in enumerate(self._space.parameters):
            at, has = points[:, index], there[:, index]
            if isinstance(parameter, Categorical):
                count = len(parameter.choices)
                columns += [(has & (_parts(at, count) == k)) * math.sqrt(0.5) for k in range(count)]
            else:
                columns.append(np.where(has, _snapped(parameter, at), 0.5))
        return np.stack(columns, axis=1).astype(float) if columns else np.zeros((len(points), 0))

    def near(self, points: Points, width: float, chance: Any) -> Points:
        """Return points moved by about ``width`` in some of their coordinates, at least one, within the cube.

        A choice is drawn again with probability ``width``.
        """
        count, size = points.shape
        if not size:
            return points
        moves = chance.random((count, size)) < max(0.3, 2.0 / size)
        moves[np.arange(count), chance.integers(size, size=count)] = True
        moved = points + np.where(moves, width * chance.standard_normal((count, size)), 0.0)
        moved = np.abs(moved)
        moved = np.clip(np.where(moved > 1.0, 2.0 - moved, moved), 0.0, 1.0)
        again = chance.random((count, size))
        for index, parameter in enumerate(self._space.parameters):
            if isinstance(parameter, Categorical):
                redraw = moves[:, index] & (chance.random(count) < max(width, 0.1))
                moved[:, index] = np.where(redraw, again[:, index], points[:, index])
        return moved

    def _present(self, points: Points) -> Points:
        """Return which parameters of which points exist."""
        there = np.ones(points.shape, bool)
        for index, parameter in enumerate(self._space.parameters):
            if parameter.when:
                there[:, index] = [self._holds(parameter, point, there[row]) for row, point in enumerate(points)]
        return there

    def _holds(self, parameter: Parameter, point: Points, there: Points) -> bool:
        parents = {
            name: value_at(self._space.parameters[at], float(point[at]))
            for name in parameter.when
            if there[at := self._order[name]]
        }
        return holds(parameter, parents)


def _parts(at: Points, count: int) -> Points:
    """Return in which of so many equal parts of the line coordinates are."""
    return np.minimum((at * count).astype(int), count - 1)


def _snapped(parameter: Float | Int | Discrete, at: Points) -> Points:
    """Return coordinates moved to those of the values that are there: ``share_of(value_at(...))`` of each."""
    if isinstance(parameter, Float) and parameter.step is None:
        return at if parameter.low < parameter.high else np.full_like(at, 0.5)
    if isinstance(parameter, Discrete) or not parameter.log:
        count = len(parameter.values) if isinstance(parameter, Discrete) else _steps(parameter)
        return (_parts(at, count) + 0.5) / count
    low, high = line(parameter)
    places = 1.0 - at if parameter.reverse else at
    values = np.clip(np.floor(low * (high / low) ** places + 0.5), parameter.low, parameter.high)
    shares = np.log(values / low) / math.log(high / low)
    return 1.0 - shares if parameter.reverse else shares


def _steps(parameter: Float | Int) -> int:
    return round((parameter.top - parameter.low) / (parameter.step or 1)) + 1
