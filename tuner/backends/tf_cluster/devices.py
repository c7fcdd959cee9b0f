"""Which tasks of a cluster get GPUs: those that train and the evaluator; a ps only holds variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tuner.backends.gpus import environment_of
from tuner.backends.tf_cluster.task_ids import name_of
from tuner.domain.tf_cluster import Kind, Name


class Slots(Protocol):
    """What hands out devices."""

    def assign(self, trial: int) -> Mapping[str, str]:
        """Give a process its devices; return what its environment needs."""

    def free(self, trial: int) -> None:
        """Take them back."""


class TaskDevices:
    """Hand out devices to tasks.

    Args:
        slots: Of the machine.
        names: The tasks of each trial.
    """

    def __init__(self, slots: Slots, names: Sequence[Name]) -> None:
        self._slots = slots
        self._names = tuple(names)

    def assign(self, trial: int) -> Mapping[str, str]:
        if name_of(trial, self._names).kind is Kind.PS:
            return environment_of((), shared=False)
        return self._slots.assign(trial)

    def free(self, trial: int) -> None:
        self._slots.free(trial)
