"""A search space as a unit cube: what a model of the parameters learns in, and where candidates are drawn.

A point has a coordinate from 0 to 1 for each parameter, on the scale on which it is drawn; a choice is the
middle of its part of the line. Its features are what distances are measured in: numbers as they stand,
a column for each choice, and the middle, or no choice at all, for a parameter that is absent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tuner.space import Categorical, Discrete, Float, Int, Parameter, Space
from tuner.space.conditions import holds
from tuner.space.drawing import fitted
from tuner.space.parameters import Params, ParamValue
from tuner.space.scaling import place

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
        return np.array([_coordinate(p, params[p.name]) if p.name in params else 0.5 for p in self._space.parameters])

    def params(self, point: Points) -> dict[str, ParamValue]:
        """Return the parameters of a point, those that exist."""
        drawn: dict[str, ParamValue] = {}
        for parameter, at in zip(self._space.parameters, point, strict=True):
            if holds(parameter, drawn):
                drawn[parameter.name] = _value(parameter, float(at))
        return drawn

    def features(self, points: Points) -> Points:
        """Return the features of points."""
        there = self._present(points)
        columns = []
        for index, parameter in enumerate(self._space.parameters):
            at, has = points[:, index], there[:, index]
            if isinstance(parameter, Categorical):
                chosen = _index(at, len(parameter.choices))
                columns += [(has & (chosen == k)) * math.sqrt(0.5) for k in range(len(parameter.choices))]
            else:
                columns.append(np.where(has, _snap(parameter)(at), 0.5))
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
            name: _value(self._space.parameters[at], float(point[at]))
            for name in parameter.when
            if there[at := self._order[name]]
        }
        return holds(parameter, parents)


def _coordinate(parameter: Parameter, value: ParamValue) -> float:
    if isinstance(parameter, Categorical):
        at = next(i for i, one in enumerate(parameter.choices) if type(one) is type(value) and one == value)
        return (at + 0.5) / len(parameter.choices)
    assert isinstance(value, (int, float))
    return place(parameter, value)


def _value(parameter: Parameter, at: float) -> ParamValue:
    if isinstance(parameter, Categorical):
        choice: ParamValue = parameter.choices[int(_index(np.array(at), len(parameter.choices)))]
        return choice
    if isinstance(parameter, Discrete):
        return parameter.values[round(at * (len(parameter.values) - 1))]
    low, high = float(parameter.low), float(parameter.high)
    if not parameter.log:
        return fitted(parameter, low + at * (high - low))
    if parameter.reverse:
        return fitted(parameter, low + high - low * (high / low) ** (1.0 - at))
    return fitted(parameter, low * (high / low) ** at)


def _index(at: Points, count: int) -> Points:
    return np.minimum((at * count).astype(int), count - 1)


def _snap(parameter: Float | Int | Discrete) -> Callable[[Points], Points]:
    """Return what moves coordinates to those that the parameter's values have."""
    steps = isinstance(parameter, (Int, Discrete)) or parameter.step is not None
    if not steps:
        return lambda at: at

    def snapped(at: Points) -> Points:
        values, back = np.unique(np.round(at, 3), return_inverse=True)
        return np.array([_coordinate(parameter, _value(parameter, float(one))) for one in values])[back]

    return snapped
