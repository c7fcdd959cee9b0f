"""What every source of learning curves does: give a trial its course.

A course is a function of parameters and seed alone (and of the course that it was forked from), so
that a trial which pauses, or whose driver dies, goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tuner.domain.spec import SweepSpec
from tuner.errors import InvalidInput
from tuner.space.parameters import Params


class Course(Protocol):
    """What one trial would evaluate, step by step."""

    def at(self, step: int) -> Mapping[str, float]:
        """Return tag to value of the evaluation at a global step; each a float32 widened to a double."""

    def seconds(self, begin: int, end: int) -> float:
        """Return how long training and evaluating takes from one global step to a later one."""


class Curves(Protocol):
    """Where courses come from."""

    def begin(self, params: Params, seed: int) -> Course:
        """Return the course of a trial that begins with nothing."""

    def fork(self, donor: Course, step: int, params: Params, seed: int) -> Course:
        """Return the course of a trial that begins with the donor's checkpoint of a step.

        Raises:
            ValueError: These curves do not say what would come of it.
        """


def make_curves(spec: SweepSpec) -> Curves:
    """Return the curves that a sweep's simulation names.

    Raises:
        InvalidInput: There is no simulation, or its table lacks what the sweep needs.
    """
    settings = spec.simulation
    if settings is None:
        raise InvalidInput(
            "simulation",
            "is missing in the search space file, expected where simulated trials have their curves from: "
            "{curves: FILE} or {task: surface}",
        )
    if settings.curves:  # both with NumPy, which commands that simulate nothing do not need
        from tuner.backends.simulated.table import TableCurves

        return TableCurves(Path(settings.curves), spec.space, spec.objectives, spec.train, settings)
    from tuner.backends.simulated.synthetic import SyntheticCurves

    return SyntheticCurves(spec.space, spec.objectives, spec.train, settings)
