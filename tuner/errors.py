"""The errors of tuner, one tree with two families named by their consequence.

    TunerError
    ├── TrialError               this trial failed; the sweep goes on
    │   └── Infeasible           the model says that these parameters cannot be tried
    └── SweepError               the sweep stops, or does not start
        ├── InvalidInput         a mistake in arguments or files (exit status 2)
        ├── SweepLocked          another driver works on the sweep (exit status 2)
        ├── StoreError           the study or the sweep's folder cannot be read or written (exit status 2)
        │   └── StoppedWaiting   somebody stopped the sweep while it waited for its study (exit status 130, 143 or 129)
        ├── BackendError         trials cannot be run here
        └── RecorderError        MLflow does not answer, or cannot be used as it is (exit status 2)

A message says what was found and what was expected; ``hint`` says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TunerError(Exception):
    """Root of all errors raised by tuner.

    Args:
        message: What was found and what was expected, without a final full stop.
        hint: What to do about it, or an empty string.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        # Names from files may hold half of a surrogate pair, which no output takes.
        self.message = message.encode("utf-8", errors="backslashreplace").decode()
        super().__init__(self.message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class TrialError(TunerError):
    """This trial failed; the sweep goes on."""


class Infeasible(TrialError):
    """Raised by a model for parameters that cannot be tried; the trial ends as PRUNED."""


class SweepError(TunerError):
    """The sweep stops, or does not start."""


MOST_SHOWN = 20  # mistakes that are said; of the others, how many there are


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands (``train.max_steps``), what is wrong, what to do."""

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{self.where}: {self.message}" if self.where else self.message
        return f"{line} ({self.hint})" if self.hint else line


class InvalidInput(SweepError):
    """Mistakes in arguments or files, all of them at once.

    Args:
        source: The file or argument in which they stand, as the user wrote it.
        problems: At least one; a plain string is one problem without a place. The message has the first of many.
    """

    exit_status = 2

    def __init__(self, source: str, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        self.source = source
        self.problems = tuple(problems)
        lines = [f"{source}: {problem}" if source else str(problem) for problem in self.problems[:MOST_SHOWN]]
        if (more := len(self.problems) - MOST_SHOWN) > 0:
            left = f"{more} more mistake{'s' if more > 1 else ''}"
            lines.append(f"{source}: {left}" if source else left)
        super().__init__("\n".join(lines))


class SweepLocked(SweepError):
    """Another living driver works on this sweep."""

    exit_status = 2


class StoreError(SweepError):
    """The study or the sweep's folder cannot be read or written."""

    exit_status = 2


class StoppedWaiting(StoreError):
    """Somebody stopped the sweep while it waited for its study; whoever knows by which signal sets ``exit_status``."""

    exit_status = 130


class BackendError(SweepError):
    """Trials cannot be run by the chosen backend."""


class RecorderError(SweepError):
    """The tracking store does not answer, or refuses to be used."""

    exit_status = 2  # 1 says of verify that it looked and found differences
