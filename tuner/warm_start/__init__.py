"""Finished trials from the results folders of Ray Tune and Keras Tuner, read without importing either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tuner.domain.objective import Constraint, Objective
from tuner.warm_start import keras_tuner, ray_tune
from tuner.warm_start.base import Results

READERS: tuple[Callable[[Path, Sequence[Objective], Sequence[Constraint]], Results | None], ...] = (
    ray_tune.read,
    keras_tuner.read,
)

__all__ = ["READERS", "Results", "read_results"]


def read_results(
    folder: Path, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> Results | None:
    """Return the finished trials of a results folder; None if it is neither tool's.

    Args:
        folder: Of one experiment.
        objectives: Of the sweep that is to learn from them; a trial's value is computed by their rules
            from what it reported.
        constraints: Likewise; a trial may lack what they are on.

    Raises:
        InvalidInput: It is a results folder and has no trial, or other objectives.
    """
    for read in READERS:
        found = read(folder, objectives, constraints)
        if found is not None:
            return found
    return None
