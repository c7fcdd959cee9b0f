"""What every source of learning curves does: give a trial its course.

A course is a function of parameters and seed alone (and of the course that it was forked from), so
that a trial which pauses, or whose driver dies, goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tuner.values import Params


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
