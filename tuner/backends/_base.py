"""What every backend does: turn jobs into running trials, and say what they evaluated and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tuner.jobs import Job, Result
from tuner.paths import TrialDir
from tuner.values import Evaluation


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
    result: Result
    damage: tuple[str, ...] = ()


Message = Started | Reported | Ended


class Backend(Protocol):
    """Run trials somewhere. Call ``open`` first and ``close`` last; one thread only."""

    def open(self) -> list[str]:
        """Make ready to run trials; return notes for the user, a line each.

        Raises:
            InvalidInput: The user's model cannot be used.
            BackendError: Trials cannot be run here.
        """

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        """Begin a life of a trial; return at once."""

    def wait(self, timeout_s: float) -> list[Message]:
        """Return what happened since, waiting up to ``timeout_s`` seconds for something to happen."""

    def stop(self, trial: int, kill: bool) -> None:
        """Ask a trial to stop at its next checkpoint, or end it at once; ``Ended`` follows either way."""

    def close(self) -> None:
        """End everything that still runs and release what is held; allowed more than once."""
