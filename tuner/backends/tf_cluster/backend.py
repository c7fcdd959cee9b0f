"""Trials that are TensorFlow clusters: each task is a process of another backend.

To that backend the chief is the trial: it has the trial's folder, its log and its result, and the
evaluations that are read there are the evaluator's. The other tasks have folders below it and are
known by numbers of their own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from secrets import token_hex

from tuner.backends.base import Backend, Ended, Message, Reported, Started
from tuner.backends.tf_cluster.ports import AddressSource, ReservedAddresses
from tuner.backends.tf_cluster.supervision import Order, Start, Supervision
from tuner.backends.tf_cluster.task_ids import number_of
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import ClusterSettings
from tuner.domain.tf_cluster import CHIEF, Kind, Name, Task, names_of, tasks_of
from tuner.files.checkpoints import newest_step
from tuner.files.paths import TrialDir

_CLOSING_S = {Kind.WORKER: 10.0, Kind.EVALUATOR: 120.0}  # exporters of the last evaluation may take their time


class _Cluster:
    """One attempt of a trial: its tasks and who watches over them."""

    def __init__(self, job: Job, trial_dir: TrialDir, tasks: Mapping[Name, Task], reserved: ReservedAddresses) -> None:
        self.job = job
        self.dir = trial_dir
        self.tasks = tasks
        self.reserved = reserved
        self.supervision = Supervision(tasks)
        self.numbers = {name: number_of(job.trial, name, list(tasks)) for name in tasks}
        self.ended: Ended | None = None  # the chief's
        self.closing_from: float | None = None  # when the chief was done
        self.overdue: set[Name] = set()

    def folder(self, name: Name) -> TrialDir:
        return self.dir if name == CHIEF else self.dir.task(name.folder)

    def note(self, line: str) -> None:
        """Write a line into the trial's log."""
        with self.dir.log_file.open("a", encoding="utf-8") as log:
            log.write(f"tuner: {line}\n")


class ClusterBackend(Backend):
    """Run each trial as a TensorFlow cluster; see ``Backend``.

    Args:
        inner: Runs the tasks.
        settings: Which tasks a trial has.
        places: Where they listen.
    """

    def __init__(self, inner: Backend, settings: ClusterSettings, places: AddressSource) -> None:
        self._inner = inner
        self._settings = settings
        self._places = places
        self._clusters: dict[int, _Cluster] = {}
        self._of: dict[int, tuple[int, Name]] = {}  # number of a task to its trial and name
        self._waiting: list[tuple[Job, TrialDir]] = []  # for room
        self._unbegun: list[Message] = []  # ends of trials that were stopped before they had begun

    def open(self) -> list[str]:
        return [*self._inner.open(), f"each trial is a cluster of {self._settings.tasks} processes: {self._kinds()}"]

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        self._waiting.append((job, trial_dir))
        self._begin()

    def _begin(self) -> None:
        """Begin the trials for which there is room, in their order."""
        names = names_of(self._settings)
        while self._waiting:
            job, trial_dir = self._waiting[0]
            reserved = self._places.reserve(job.trial, names)
            if reserved is None:
                return
            del self._waiting[0]
            cluster = _Cluster(job, trial_dir, tasks_of(reserved.addresses, reserved.gate, token_hex()), reserved)
            self._clusters[job.trial] = cluster
            for name in names:
                self._start_task(cluster, name)

    def wait(self, timeout_s: float) -> list[Message]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._begin()
            heard = self._inner.wait(max(0.0, deadline - time.monotonic()))
            # A chief's end explains those of its tasks, whichever was seen first.
            heard = sorted(heard, key=lambda m: isinstance(m, Ended) and m.trial not in self._clusters)
            messages = [*self._unbegun, *(message for one in heard for message in self._on_message(one))]
            self._unbegun.clear()
            for cluster in list(self._clusters.values()):
                self._mind(cluster)
                if cluster.supervision.over:
                    messages.append(self._over(cluster))
            if messages or time.monotonic() >= deadline:
                return messages

    def stop(self, trial: int, kill: bool) -> None:
        for waiting in [pair for pair in self._waiting if pair[0].trial == trial]:
            self._waiting.remove(waiting)
            job, trial_dir = waiting
            self._unbegun.append(Ended(trial, JobResult(JobStatus.STOPPED, job.attempt, newest_step(trial_dir.path))))
        cluster = self._clusters.get(trial)
        if cluster is None:
            return
        if kill:
            self._obey(cluster, cluster.supervision.kill())
        else:
            self._inner.stop(trial, kill=False)  # the chief ends at its next checkpoint, the others with it

    def close(self) -> None:
        self._waiting.clear()
        self._inner.close()
        for cluster in self._clusters.values():
            cluster.reserved.release()
        self._clusters.clear()
        self._of.clear()

    def _start_task(self, cluster: _Cluster, name: Name) -> None:
        number = cluster.numbers[name]
        self._of[number] = (cluster.job.trial, name)
        job = replace(cluster.job, trial=number, task=cluster.tasks[name])
        self._inner.start(job, cluster.folder(name))

    def _on_message(self, message: Message) -> list[Message]:
        """Return what a message of the inner backend means for those who know only trials."""
        trial, name = self._of.get(message.trial, (message.trial, CHIEF))
        cluster = self._clusters.get(trial)
        if cluster is None:
            return []
        if isinstance(message, Ended):
            if name == CHIEF:
                cluster.ended = message
            self._obey(cluster, cluster.supervision.ended(name, message.result))
            return []
        if name != CHIEF:
            return []
        if isinstance(message, Started):
            return [Started(trial, f"{message.where}, the chief of {self._settings.tasks} tasks")]
        assert isinstance(message, Reported)
        return [message]

    def _obey(self, cluster: _Cluster, orders: list[Order]) -> None:
        for order in orders:
            if isinstance(order, Start):
                cluster.note(f"{order.name} is started again: {order.reason}")
                self._start_task(cluster, order.name)
            else:
                self._inner.stop(cluster.numbers[order.name], order.kill)

    def _mind(self, cluster: _Cluster) -> None:
        """End what does not end by itself when the chief is done."""
        if not cluster.supervision.closing:
            return
        now = time.monotonic()
        cluster.closing_from = cluster.closing_from or now
        for name in cluster.supervision.running:
            limit_s = _CLOSING_S.get(name.kind)
            if limit_s is not None and now > cluster.closing_from + limit_s and name not in cluster.overdue:
                cluster.overdue.add(name)
                cluster.note(f"{name} did not end within {limit_s:g} s of the chief and is killed")
                self._inner.stop(cluster.numbers[name], kill=True)

    def _over(self, cluster: _Cluster) -> Ended:
        trial = cluster.job.trial
        del self._clusters[trial]
        for number in cluster.numbers.values():
            self._of.pop(number, None)
        cluster.reserved.release()
        result = cluster.supervision.result
        assert result is not None and cluster.ended is not None
        return Ended(
            trial, replace(result, attempt=cluster.job.attempt, step=cluster.ended.result.step), cluster.ended.damage
        )

    def _kinds(self) -> str:
        counts = {kind: sum(name.kind is kind for name in names_of(self._settings)) for kind in Kind}
        return ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
