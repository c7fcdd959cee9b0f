"""What every backend does: turn jobs into running trials, and say what they evaluated and how they ended."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from tuner.domain.job import Job, JobResult
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Evaluation
from tuner.files.paths import SweepDir, TrialDir


@dataclass(frozen=True)
class Started:
    """A trial's process runs; ``where`` says it for people (``pid 4711``)."""

    trial: int
    where: str


@dataclass(frozen=True)
class Reported:
    """A trial evaluated; all evaluations of one trial come in file order."""

    trial: int
    evaluation: Evaluation


@dataclass(frozen=True)
class Ended:
    """A trial's process is gone, and everything it evaluated has been reported.

    Attributes:
        damage: What could not be read of its event files, a line each.
    """

    trial: int
    result: JobResult
    damage: tuple[str, ...] = ()


Message = Started | Reported | Ended


@dataclass(frozen=True)
class Placement:
    """A backend that is not open yet.

    Attributes:
        workers: Trials at a time.
        threads: Threads of each session.
        notes: For the user, a line each.
    """

    backend: Backend
    workers: int
    threads: int
    notes: tuple[str, ...] = ()


class Backend(ABC):
    """Run trials somewhere. Call ``open`` first and ``close`` last; one thread only.

    Attributes:
        runs_scripts: Whether it runs trials of a command, rather than of a model alone.
        runs_clusters: Whether it runs trials that are TensorFlow clusters.
        has_custom_resources: Whether trials may ask for resources that somebody has named.
        is_simulated: Whether nothing is trained, so that its trials must not be taken for real ones.
        packages: What has to be installed beside the required packages.
    """

    runs_scripts: ClassVar[bool] = False
    runs_clusters: ClassVar[bool] = False
    has_custom_resources: ClassVar[bool] = False
    is_simulated: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def place(cls, spec: SweepSpec, sweep_dir: SweepDir) -> Placement:
        """Make one for a sweep that it can run; each that a sweep may name has this.

        Raises:
            InvalidInput: The place lacks what a trial asks for.
        """
        raise NotImplementedError(f"{cls.__name__} has no place() for trials of {spec.name!r} in {sweep_dir.path}")

    @classmethod
    def is_recorded(cls, spec: SweepSpec) -> bool:  # noqa: ARG003
        """Whether the trials of a sweep are sent to the recorders."""
        return True

    @abstractmethod
    def open(self) -> list[str]:
        """Make ready to run trials; return notes for the user, a line each.

        Raises:
            InvalidInput: The user's model cannot be used.
            BackendError: Trials cannot be run here.
        """

    @abstractmethod
    def start(self, job: Job, trial_dir: TrialDir) -> None:
        """Begin an attempt of a trial; return at once."""

    @abstractmethod
    def wait(self, timeout_s: float) -> list[Message]:
        """Return what happened since, waiting up to ``timeout_s`` seconds for something to happen."""

    @abstractmethod
    def stop(self, trial: int, kill: bool) -> None:
        """Ask a trial to stop at its next checkpoint, or end it at once; ``Ended`` follows either way."""

    def fork_function(self, function: str, argument: str) -> socket.socket | None:  # noqa: ARG002
        """Have a process forked that has TensorFlow and the model already, and calls a function there.

        Its standard input is the socket that is returned; the end of it is to end the process, as its end is seen by
        that of the socket.

        Args:
            function: ``module:name``.
            argument: Of it.

        Returns:
            The socket, or None: this backend has no such process to fork it from.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """End everything that still runs and release what is held; allowed more than once, and without ``open``."""
