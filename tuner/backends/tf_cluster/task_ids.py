"""The numbers by which a backend of processes knows the tasks of a trial: the chief's is the trial's."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.domain.tf_cluster import CHIEF, Name

_TASKS = 4096  # numbers for the tasks of one trial


def number_of(trial: int, name: Name, names: Sequence[Name]) -> int:
    """Return the number of a task; that of one other than the chief is below -1, so that it is no trial's."""
    return trial if name == CHIEF else -(trial * _TASKS + names.index(name) + 2)


def name_of(number: int, names: Sequence[Name]) -> Name:
    """Return the task that has a number."""
    return CHIEF if number >= 0 else names[(-number - 2) % _TASKS]
