"""A trial on a node that shares no folder with the driver: its files come before it runs, and go as it evaluates.

An evaluation is passed on only when the checkpoint that it is of is in the mailbox: a node may vanish
at any time, and what the driver has acted upon must be there for the next one.
"""

from __future__ import annotations

import collections
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tuner.backends._base import Ended, Message, Reported
from tuner.backends.ray.mailbox import Mailbox, persevering
from tuner.backends.ray.orders import Grown, Heard
from tuner.jobs import Ending, Job, Result
from tuner.ranking import best_step
from tuner.trial import checkpoints
from tuner.values import Objective

_CHUNK = 1 << 20


class Travelling:
    """Send what a trial writes, and hold back what it says until that is done.

    Args:
        mailbox: Where files travel.
        name: Of the trial in the mailbox.
        folder: The trial's folder on this node; it must not be there yet.
        job: The life of the trial.
        objective: Decides which checkpoint is the best; that and the newest two are kept.

    Attributes:
        broken: Why its files cannot be sent, or an empty string; it is lost then.
        killed: For the caller: whether it was ended because of that.
    """

    def __init__(self, mailbox: Mailbox, name: str, folder: Path, job: Job, objective: Objective) -> None:
        self.broken = ""
        self.killed = False
        self._mailbox = mailbox
        self._name = name
        self._folder = folder
        self._job = job
        self._objective = objective
        self._held = mailbox.fetch(name, folder)
        self._curve: dict[int, float] = {}
        self._waiting: collections.deque[tuple[Message, Future[None] | None]] = collections.deque()
        self._sender = ThreadPoolExecutor(1, f"mailbox-{job.trial}")  # one: a trial's messages stay in order
        self._offsets = {name: path.stat().st_size for name, path in self._growing()}

    def pass_on(self, messages: list[Message]) -> list[Heard]:
        """Take what the trial says now; return what may be known, with what its files have grown by."""
        for message in messages:
            if isinstance(message, Reported):
                self._note(message)
        if any(isinstance(message, Reported | Ended) for message in messages):
            sent = self._sender.submit(self._send)
            self._waiting += [(message, sent) for message in messages]
        else:
            self._waiting += [(message, None) for message in messages]
        heard: list[Heard] = []
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
        return Ended(message.trial, Result(Ending.LOST, self._job.life, None, self.broken))

    def _note(self, message: Reported) -> None:
        value = message.evaluation.scalars.get(self._objective.metric)
        if value is not None and message.evaluation.folder:
            self._curve.setdefault(message.evaluation.step, value)

    def _send(self) -> None:
        best = best_step(dict(self._curve), self._objective.goal)
        checkpoints.thin(self._folder, keep=[best] if best is not None else [])

        def send() -> None:
            self._held = self._mailbox.send(self._name, self._folder, self._job.life, self._held)

        persevering(send, f"trial {self._name}")

    def _growing(self) -> list[tuple[str, Path]]:
        """Return the files that only grow and that are looked at while the trial runs."""
        events = (*self._folder.glob("*tfevents*"), *self._folder.glob("eval*/*tfevents*"))
        files = [self._folder / "log.txt", *sorted(events)]
        return [(str(file.relative_to(self._folder)), file) for file in files if file.exists()]

    def _grown(self) -> list[Heard]:
        heard: list[Heard] = []
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
