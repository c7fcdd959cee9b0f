"""What the end of one task means for the others of a trial's cluster.

Ends come in, orders go out; nothing is started or stopped here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tuner.domain.job import JobResult, JobStatus
from tuner.domain.tags import RESTARTED
from tuner.domain.tf_cluster import CHIEF, Kind, Name

RESTARTS = 5  # of one task in one attempt of a trial: what is lost so often is what loses it


@dataclass(frozen=True)
class Start:
    """Start a task again; ``reason`` says why the former one ended."""

    name: Name
    reason: str


@dataclass(frozen=True)
class Stop:
    """Ask a task to end, or kill it."""

    name: Name
    kill: bool


Order = Start | Stop


class Supervision:
    """Watch over the tasks of one attempt of a trial.

    Args:
        names: Of its tasks, all of which have been started.

    Attributes:
        result: How the trial ended, or None while that is not known.
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self.result: JobResult | None = None
        self._running = set(names)
        self._restarts: Counter[Name] = Counter()
        self._reasons: dict[Name, str] = {}
        self._killed = False

    @property
    def over(self) -> bool:
        """Whether all tasks are gone and the trial has ended."""
        return not self._running and self.result is not None

    @property
    def closing(self) -> bool:
        """Whether the chief is done and others are still at work."""
        return self.result is not None and not self._killed and bool(self._running)

    @property
    def running(self) -> list[Name]:
        """The tasks that are not known to be gone."""
        return sorted(self._running, key=str)

    def kill(self) -> list[Order]:
        """End everything."""
        self._killed = True
        return [Stop(name, kill=True) for name in self.running]

    def ended(self, name: Name, result: JobResult) -> list[Order]:
        """Take the end of a task; return what is to be done now."""
        self._running.discard(name)
        if name == CHIEF:
            return self._chief_ended(result)
        if self._killed:
            return []
        if self.result is not None:
            if name.kind is Kind.EVALUATOR and result.ending is JobStatus.FAILED and not result.died:  # its exporters
                self.result = replace(result, reason=f"{name}: {result.reason}", tags=self.result.tags)
            return self._end_ps()
        if _is_done(name, result):
            return []
        if result.died or (name.kind is Kind.PS and result.ending is not JobStatus.LOST):
            return self._again(name, result)
        # One whose machine was lost cannot come back under the address that the others know.
        return self._fail(replace(result, reason=f"{name}: {result.reason}"))

    def _chief_ended(self, result: JobResult) -> list[Order]:
        if self.result is None:
            self.result = replace(result, tags={**result.tags, **self._tags})
        if self._killed:
            return []
        if result.ending not in (JobStatus.FINISHED, JobStatus.STOPPED):
            return self.kill()
        asked: list[Order] = [Stop(n, kill=False) for n in self.running if n.kind is not Kind.PS]
        return asked or self._end_ps()

    def _end_ps(self) -> list[Order]:
        """End the parameter servers, which never end by themselves, when nobody needs them any more."""
        return self.kill() if all(name.kind is Kind.PS for name in self._running) else []

    def _again(self, name: Name, result: JobResult) -> list[Order]:
        reason = result.reason or f"it ended as {result.ending.value}"
        if self._restarts[name] >= RESTARTS:
            reason = f"{name} ended {RESTARTS + 1} times, the last: {reason}"
            return self._fail(replace(result, ending=JobStatus.FAILED, reason=reason))
        self._restarts[name] += 1
        self._reasons[name] = reason
        self._running.add(name)
        return [Start(name, reason)]

    def _fail(self, result: JobResult) -> list[Order]:
        """End the trial because of what a task other than the chief came to."""
        self.result = replace(result, tags=self._tags)
        return self.kill()

    @property
    def _tags(self) -> dict[str, str]:
        counts = sorted(self._restarts.items(), key=str)
        lines = [
            f"{name}: {'once' if count == 1 else f'{count} times'} ({self._reasons[name]})" for name, count in counts
        ]
        return {RESTARTED: "; ".join(lines)} if lines else {}


def _is_done(name: Name, result: JobResult) -> bool:
    """Whether a task has ended as it should: its input or the training was over."""
    return name.kind is not Kind.PS and result.ending in (JobStatus.FINISHED, JobStatus.STOPPED)
