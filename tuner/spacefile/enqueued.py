"""The ``search.enqueue`` of a search space file: starting points, each some or all of the parameters.

As of Optuna's ``enqueue_trial``: what a point leaves out is drawn by the sampler, and a parameter whose
``when`` does not hold with what was drawn is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.errors import Problem
from tuner.space import Space
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
                if isinstance(value, str) and not isinstance(taken, str):
                    problems.append(Problem(where, f"is the text {value!r}, expected {taken!r}", "without quotes"))
