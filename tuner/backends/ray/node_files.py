"""A trial on a node that shares no folder with the driver: its files come before it runs, and go as it evaluates.

An evaluation is passed on only when the checkpoint that it is of is in the mailbox: a node may vanish
at any time, and what the driver has acted upon must be there for the next one.
"""

from __future__ import annotations

import collections
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tuner.backends.base import Ended, Message, Reported
from tuner.backends.ray.file_transfer import FileTransfer, persevering
from tuner.backends.ray.messages import Grown, Received
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.objective import Constraint, Objective
from tuner.domain.pareto import ranked_steps
from tuner.files import checkpoints

_CHUNK = 1 << 20


class NodeFiles:
    """Send what a trial writes, and hold back what it says until that is done.

    Args:
        mailbox: Where files travel.
        name: Of the trial in the mailbox.
        folder: The trial's folder on this node; it must not be there yet.
        job: The attempt of the trial.
        objective: Decides which checkpoint is the best; that and the newest two are kept.
        constraints: What keeps to them is better than what does not.

    Attributes:
        broken: Why its files cannot be sent, or an empty string; it is lost then.
        killed: For the caller: whether it was ended because of that.
    """

    def __init__(
        self,
        mailbox: FileTransfer,
        name: str,
        folder: Path,
        job: Job,
        objective: Objective,
        constraints: Sequence[Constraint] = (),
    ) -> None:
        self.broken = ""
        self.killed = False
        self._mailbox = mailbox
        self._name = name
        self._folder = folder
        self._job = job
        self._objective = objective
        self._constraints = constraints
        self._held = mailbox.fetch(name, folder)
        metrics = [objective.metric, *(constraint.metric for constraint in constraints)]
        self._curves: dict[str, dict[int, float]] = {metric: {} for metric in metrics}
        self._waiting: collections.deque[tuple[Message, Future[None] | None]] = collections.deque()
        self._sender = ThreadPoolExecutor(1, f"mailbox-{job.trial}")  # one: a trial's messages stay in order
        self._offsets = {name: path.stat().st_size for name, path in self._growing()}

    def pass_on(self, messages: list[Message]) -> list[Received]:
        """Take what the trial says now; return what may be known, with what its files have grown by."""
        for message in messages:
            if isinstance(message, Reported):
                self._note(message)
        if any(isinstance(message, Reported | Ended) for message in messages):
            sent = self._sender.submit(self._send, self._ranked_steps())  # the curve grows while it is sent
            self._waiting += [(message, sent) for message in messages]
        else:
            self._waiting += [(message, None) for message in messages]
        heard: list[Received] = []
        while self._waiting and ((sent_ := self._waiting[0][1]) is None or sent_.done()):
            message, future = self._waiting.popleft()
            if future is not None and (error := future.exception()) is not None:
                self.broken = self.broken or f"its files cannot be sent: {error}"
            if isinstance(message, Ended):
                heard += [*self._grown(), self._end(message)]
                self.close()
            elif not self.broken:
                heard.append(message)
        return heard if heard and isinstance(heard[-1], Ended) else [*self._grown(), *heard]

    def close(self) -> None:
        """Forget the trial here."""
        self._sender.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, message: Ended) -> Ended:
        if not self.broken:
            return message
        return Ended(message.trial, JobResult(JobStatus.LOST, self._job.attempt, None, self.broken))

    def _note(self, message: Reported) -> None:
        found = message.evaluation
        if found.folder and not found.is_secondary:
            for metric in self._curves.keys() & found.scalars.keys():
                self._curves[metric].setdefault(found.step, found.scalars[metric])

    def _ranked_steps(self) -> list[int]:
        curve = self._curves[self._objective.metric]
        return ranked_steps(curve, self._objective.goal, self._constraints, self._curves)

    def _send(self, ranked: Sequence[int]) -> None:
        checkpoints.thin(self._folder, ranked)

        def send() -> None:
            self._held = self._mailbox.send(self._name, self._folder, self._job.attempt, self._held)

        persevering(send, f"trial {self._name}")

    def _growing(self) -> list[tuple[str, Path]]:
        """Return the files that only grow and that are looked at while the trial runs."""
        events = (*self._folder.glob("*tfevents*"), *self._folder.glob("eval*/*tfevents*"))
        files = [self._folder / "log.txt", *sorted(events)]
        return [(str(file.relative_to(self._folder)), file) for file in files if file.exists()]

    def _grown(self) -> list[Received]:
        heard: list[Received] = []
        for name, file in self._growing():
            offset = self._offsets.get(name, 0)
            if file.stat().st_size <= offset:
                continue
            with file.open("rb") as stream:
                stream.seek(offset)
                data = stream.read(_CHUNK)
            self._offsets[name] = offset + len(data)
            heard.append(Grown(self._job.trial, name, offset, data))
        return heard
