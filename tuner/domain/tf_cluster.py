"""The tasks of a trial that is a TensorFlow cluster: what each is called and what ``TF_CONFIG`` it gets.

Nothing here needs TensorFlow. The words are those of ``tf.estimator.train_and_evaluate``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tuner.domain.spec import ClusterSettings


class Kind(str, Enum):
    """What a task does."""

    CHIEF = "chief"  # trains, saves checkpoints
    WORKER = "worker"  # trains
    PS = "ps"  # holds variables
    EVALUATOR = "evaluator"  # evaluates checkpoints; stands outside the cluster that trains

    @property
    def trains(self) -> bool:
        """Whether it takes steps."""
        return self in (Kind.CHIEF, Kind.WORKER)


@dataclass(frozen=True)
class Name:
    """A task by its kind and its number among those of its kind."""

    kind: Kind
    index: int = 0

    def __str__(self) -> str:
        alone = self.kind in (Kind.CHIEF, Kind.EVALUATOR)
        return self.kind.value if alone else f"{self.kind.value} {self.index}"

    @property
    def folder(self) -> str:
        """Name of its folder below the trial's."""
        return f"{self.kind.value}-{self.index}"


CHIEF = Name(Kind.CHIEF)


@dataclass(frozen=True)
class Task:
    """One task, and all that it has to know of the others.

    Attributes:
        name: Which it is.
        cluster: Kind to the addresses (``HOST:PORT``) of its tasks; the evaluator is not among them.
        gate: Address at which the chief hands out steps.
        secret: Of this attempt of the trial: who knows it belongs to it.
    """

    name: Name
    cluster: Mapping[str, Sequence[str]]
    gate: str
    secret: str = ""

    @property
    def tf_config(self) -> str:
        """What ``TF_CONFIG`` is for it."""
        cluster = {kind: list(addresses) for kind, addresses in self.cluster.items()}
        return json.dumps({"cluster": cluster, "task": {"type": self.name.kind.value, "index": self.name.index}})

    @property
    def device_filters(self) -> tuple[str, ...]:
        """Which tasks its sessions talk to: one that is away must not hold up the others.

        A RunConfig without a ``session_config`` has the same.
        """
        if self.name.kind is Kind.CHIEF:
            return ("/job:ps", "/job:chief")
        if self.name.kind is Kind.WORKER:
            return ("/job:ps", f"/job:worker/task:{self.name.index}")
        return ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """Return the task that ``dataclasses.asdict`` made a mapping."""
        name = Name(Kind(data["name"]["kind"]), data["name"]["index"])
        cluster = {kind: tuple(found) for kind, found in data["cluster"].items()}
        return cls(name, cluster, data["gate"], data.get("secret", ""))


def names_of(settings: ClusterSettings) -> list[Name]:
    """Return the tasks of each trial in the order in which they are started."""
    found = [Name(Kind.PS, index) for index in range(settings.ps)]
    found += [CHIEF, *(Name(Kind.WORKER, index) for index in range(settings.workers))]
    return [*found, Name(Kind.EVALUATOR)] if settings.evaluator else found


def tasks_of(addresses: Mapping[Name, str], gate: str, secret: str = "") -> dict[Name, Task]:
    """Return the tasks of one trial.

    Args:
        addresses: Of each task, ``HOST:PORT``; the evaluator's is not used.
        gate: Address at which the chief hands out steps.
        secret: Of this attempt of the trial.
    """
    cluster: dict[str, list[str]] = {}
    for name in sorted(addresses, key=lambda name: (name.kind.value, name.index)):
        if name.kind is not Kind.EVALUATOR:
            cluster.setdefault(name.kind.value, []).append(addresses[name])
    return {name: Task(name, cluster, gate, secret) for name in addresses}
