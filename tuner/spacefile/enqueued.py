"""The ``search.enqueue`` of a search space file: starting points, each some or all of the parameters.

As of Optuna's ``enqueue_trial``: what a point leaves out is drawn by the sampler, and a parameter whose
``when`` does not hold with what was drawn is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.errors import Problem
from tuner.showing import shown
from tuner.space import Parameter, Space
from tuner.space.drawing import as_value
from tuner.spacefile.text import near


def check_enqueued(points: Sequence[Mapping[str, Any]], space: Space | None, problems: list[Problem]) -> None:
    """Refuse starting points that the space cannot hold; Optuna would draw other values in silence.

    A space that the model defines by running is not known here, and is not checked.
    """
    if space is None or not (space.parameters or space.constants):
        return
    known = {parameter.name: parameter for parameter in space.parameters}
    for place, point in enumerate(points):
        for name, value in point.items():
            where = f"search.enqueue.{place}.{name}"
            if name in space.constants:
                problems.append(Problem(where, "is a constant, expected a parameter", "remove it"))
            elif name not in known:
                problems.append(Problem(where, f"names the unknown parameter {name!r}", near(name, list(known))))
            else:
                try:
                    taken = as_value(known[name], value)
                except ValueError as error:
                    problems.append(Problem(where, str(error)))
                    continue
                if why := _absent(known[name], point):
                    problems.append(Problem(where, why, "remove it, or change that"))
                if isinstance(value, str) and not isinstance(taken, str):
                    problems.append(Problem(where, f"is the text {value!r}, expected {taken!r}", "without quotes"))


def _absent(parameter: Parameter, point: Mapping[str, Any]) -> str:
    """Return why a point's own values leave a parameter out; empty where they do not."""
    for parent, allowed in parameter.when.items():
        if parent in point and not any(type(a) is type(point[parent]) and a == point[parent] for a in allowed):
            return f"is there where {parent} is {_or(allowed)}, and this point has {_or([point[parent]])}"
    return ""


def _or(values: Sequence[Any]) -> str:
    return " or ".join(map(shown, values))
