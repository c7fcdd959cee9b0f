"""What the driver and the worker on a node say to each other; all of it crosses through Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuner.backends.base import Message
from tuner.domain.job import Job
from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import ModelRef
from tuner.errors import Problem


@dataclass(frozen=True)
class NodeSettings:
    """What the worker on a node is told when it is made.

    Attributes:
        model: The user's model, with the driver's paths.
        working_dir: The driver's folder of which the node has a copy, or empty.
        objective: Decides which checkpoint is a trial's best.
        constraints: What keeps to them is better than what does not.
        version: Of tuner on the driver.
        mailbox: Where trials' files travel, or empty: the trials' folders are shared.
        mailbox_secret: With what manifests there are signed.
        token: What the driver wrote into the mailbox or the shared folder.
        shared_dir: The folder that all nodes share if there is no mailbox, absolute.
    """

    model: ModelRef
    working_dir: str
    objective: Objective
    constraints: tuple[Constraint, ...]
    version: str
    mailbox: str
    mailbox_secret: str
    token: str
    shared_dir: str


@dataclass(frozen=True)
class Begin:
    """Begin an attempt of a trial.

    Attributes:
        folder: The trial's; if it is shared, absolute, else its name.
        env: What its environment needs.
    """

    job: Job
    folder: str
    env: Mapping[str, str]


@dataclass(frozen=True)
class Stop:
    """Ask a trial to stop at its next checkpoint, or end it at once."""

    trial: int
    kill: bool


Order = Begin | Stop


@dataclass(frozen=True)
class Grown:
    """What a trial wrote into a file that only grows, from ``offset`` on."""

    trial: int
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Warm:
    """The node can run trials.

    Attributes:
        problems: Why it cannot; of ``source``.
    """

    notes: tuple[str, ...] = ()
    source: str = ""
    problems: tuple[Problem, ...] = ()


Received = Message | Grown
