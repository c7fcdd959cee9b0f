"""Trials on the nodes of a Ray cluster.

Ray says where there is room: an actor that does nothing but hold what a trial asks for is a slot. On
each node that has slots one more actor, a ``NodeWorker``, forks the trials. Orders go to it and
evaluations come back through Ray; trials' files are in a folder that all share, or travel through a
``Mailbox``. A node that dies takes its slots with it, and its trials are reported lost.
"""

from __future__ import annotations

import collections
import contextlib
import time
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from tuner.backends.base import Backend, Ended, Message, Placement, Started
from tuner.backends.ray.connection import Cluster, Request, connect
from tuner.backends.ray.driver_files import Fetching, append, leave_probe, mailbox_of, node_settings, send
from tuner.backends.ray.gangs import Gang, Gangs, Nodes
from tuner.backends.ray.messages import Begin, Grown, Received, Stop
from tuner.backends.ray.node_worker import NodeWorker
from tuner.backends.ray.slots import Node, Slot, at_node, end_all, hold
from tuner.backends.resources import WORKERS, cores, processes_per_trial
from tuner.backends.tf_cluster import ClusterBackend
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import ModelRef, RaySettings, SweepSpec
from tuner.errors import BackendError, InvalidInput, Problem
from tuner.files.checkpoints import newest_step
from tuner.files.paths import SweepDir, TrialDir

_HEAR_S = 5.0  # how long a node keeps its answer back when nothing happens there
_ROOM_S = 60.0  # how long a busy cluster is waited for at first
_WARM_S = 300.0
_FAULTS = 5  # of nodes, one after another, with no trial begun between


class RayBackend(Backend):
    """Run trials on a cluster; see ``Backend``.

    Args:
        cluster: Connected to; closed with the backend.
        model: The user's model.
        objective: The first one.
        constraints: Of the sweep.
        request: What each trial gets.
        workers: Trials at a time.
        settings: Of the search space file.
        sweep_dir: The sweep's folder on this machine.

    Attributes:
        closed: Whether it was closed, and cannot be used any more.
        gangs: The slots that are kept for trials that are TensorFlow clusters.
    """

    runs_clusters: ClassVar[bool] = True
    has_custom_resources: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("ray",)

    @classmethod
    def place(cls, spec: SweepSpec, sweep_dir: SweepDir) -> Placement:
        asked, size = spec.resources, processes_per_trial(spec)
        assert spec.model is not None
        if spec.cluster is not None and spec.ray.storage:
            message = f"is {spec.ray.storage}, and the tasks of a cluster share their trial's folder while they run"
            hint = "leave it out, and give a --root that all nodes see under one path"
            raise InvalidInput("", [Problem("ray.storage", message, hint)])
        request = Request(asked.cpus or 1.0, asked.gpus or 0.0, asked.custom)
        cluster = connect(spec.ray, cores())
        try:
            room = cluster.room(request, size.processes)
            workers = min(spec.search.workers or WORKERS, room)
            processes = workers * size.processes
            objective, constraints = spec.objectives[0], spec.constraints
            backend = cls(cluster, spec.model, objective, constraints, request, processes, spec.ray, sweep_dir)
        except BaseException:
            cluster.close()
            raise
        notes: tuple[str, ...] = ()
        if spec.search.workers is None and room > workers:
            notes = (f"ray: the cluster has room for {room} trials at a time; --workers is {workers}",)
        threads = max(1, int(request.cpus))
        if spec.cluster is None:
            return Placement(backend, workers, threads, notes)
        return Placement(ClusterBackend(backend, spec.cluster, Nodes(cluster.ray, backend)), workers, threads, notes)

    def __init__(
        self,
        cluster: Cluster,
        model: ModelRef,
        objective: Objective,
        constraints: Sequence[Constraint],
        request: Request,
        workers: int,
        settings: RaySettings,
        sweep_dir: SweepDir,
    ) -> None:
        self._cluster = cluster
        self._ray = cluster.ray
        self._request = request
        self._workers = workers
        self._dir = sweep_dir
        self._token = uuid.uuid4().hex
        self._mailbox = mailbox_of(settings, sweep_dir)
        self._node_settings = node_settings(
            model, objective, constraints, settings, self._mailbox, self._token, sweep_dir
        )
        self._slots: list[Slot] = []
        self._nodes: dict[str, Node] = {}
        self._waiting: collections.deque[tuple[Job, TrialDir]] = collections.deque()
        self._running: dict[int, tuple[Slot, Job, TrialDir]] = {}
        self.gangs = Gangs()
        self._messages: list[Message] = []
        self._fetching = Fetching(self._mailbox) if self._mailbox else None
        self._faults = 0
        self.closed = False

    def open(self) -> list[str]:
        """Take slots, and make the nodes warm on which they are."""
        self._dir.trials_dir.mkdir(parents=True, exist_ok=True)
        leave_probe(self._mailbox, self._dir, self._token)
        self._hold(self._workers)
        deadline = time.monotonic() + _ROOM_S
        while any(not slot.node for slot in self._slots) and time.monotonic() < deadline:
            self._listen(0.5, raising=True)
        if not any(slot.node for slot in self._slots):
            raise BackendError(
                f"the cluster at {self._cluster.address} has had no room for a trial for {_ROOM_S:g} s: others use it",
                "see `ray status`; ask for less in resources, or wait",
            )
        deadline = time.monotonic() + _WARM_S
        while any(not node.warm for node in self._nodes.values()):
            if time.monotonic() > deadline:
                cold = ", ".join(node.address for node in self._nodes.values() if not node.warm)
                raise BackendError(f"no word from the workers on {cold} for {_WARM_S:g} s", "see Ray's logs there")
            self._listen(0.5, raising=True)
        return self._notes()

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        trial_dir.result_file.unlink(missing_ok=True)
        job.write(trial_dir.job_file)
        if self._mailbox is not None:
            send(self._mailbox, job, trial_dir)
        if (slot := self.gangs.slot_for(job.trial)) is not None:
            self._begin(slot, job, trial_dir)
            return
        self._waiting.append((job, trial_dir))
        self._hold(len(self._waiting) + len(self._running))
        self._place()

    def wait(self, timeout_s: float) -> list[Message]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._place()
            self._listen(max(0.0, min(0.25, deadline - time.monotonic())))
            self._messages += self._fetching.done() if self._fetching else []
            if self._messages or time.monotonic() >= deadline:
                messages, self._messages = self._messages, []
                return messages

    def stop(self, trial: int, kill: bool) -> None:
        for waiting in [pair for pair in self._waiting if pair[0].trial == trial]:
            self._waiting.remove(waiting)
            job, trial_dir = waiting
            result = JobResult(JobStatus.STOPPED, job.attempt, newest_step(trial_dir.path))
            self._finish(Ended(trial, result), trial_dir)
        if trial in self._running:
            slot = self._running[trial][0]
            node = self._nodes.get(slot.node)
            if node is not None:
                node.tell(Stop(trial, kill))

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        end_all(self._ray, list(self._nodes.values()), self._slots)
        if self._fetching is not None:
            self._fetching.close()
        if self._mailbox is not None and not any(self._dir.trials_dir.glob("*/away.txt")):
            with contextlib.suppress(BackendError):
                self._mailbox.clear()
        (self._dir.trials_dir / f".probe-{self._token}").unlink(missing_ok=True)
        self._nodes.clear()
        self._slots.clear()
        self._running.clear()
        self._cluster.close()

    def _notes(self) -> list[str]:
        nodes = sorted(node.address for node in self._nodes.values())
        where = f"ray: {len(self._slots)} at a time on {self._cluster.address}, nodes {', '.join(nodes)}"
        files = f"files travel through {self._mailbox.url}" if self._mailbox else "all share the sweep's folder"
        return [f"{where}; {files}", *sorted({note for node in self._nodes.values() for note in node.notes})]

    def reserve_gang(self, trial: int, numbers: Sequence[int]) -> Gang | None:
        """Keep slots for all tasks of a trial that is a TensorFlow cluster; None while there are not as many."""
        self._hold(self._workers)
        return self.gangs.reserve(trial, numbers, list(filter(self._is_free, self._slots)), self._nodes)

    def _hold(self, count: int) -> None:
        """Ask Ray for so many slots in all, at most those of the sweep's workers."""
        while len(self._slots) < min(self._workers, count):
            self._slots.append(hold(self._ray, self._request))

    def _is_free(self, slot: Slot) -> bool:
        node = self._nodes.get(slot.node)
        return node is not None and node.warm and slot.trial is None and slot.kept_for is None

    def _place(self) -> None:
        """Give waiting trials to slots that are free on warm nodes."""
        for slot in self._slots:
            if self._waiting and self._is_free(slot):
                self._begin(slot, *self._waiting.popleft())

    def _begin(self, slot: Slot, job: Job, trial_dir: TrialDir) -> None:
        """Begin an attempt of a trial, or of a task, in a slot; it is lost at once if the slot's node is."""
        node = self._nodes.get(slot.node)
        if node is None or slot not in self._slots:
            reason = f"node {slot.address} was lost"
            result = JobResult(JobStatus.LOST, job.attempt, newest_step(trial_dir.path), reason)
            self._messages.append(Ended(job.trial, result))
            return
        slot.trial = job.trial
        self._running[job.trial] = (slot, job, trial_dir)
        folder = trial_dir.path.name if self._mailbox else str(trial_dir.path.absolute())
        node.tell(Begin(job, folder, slot.env_for(job.task)))

    def _listen(self, timeout_s: float, raising: bool = False) -> None:
        """Take what slots and nodes have to say, waiting for one of them to speak.

        Args:
            timeout_s: Seconds.
            raising: Whether a node that cannot run trials is an error rather than passed over.
        """
        refs: dict[Any, Slot | Node] = {slot.said: slot for slot in self._slots if slot.said is not None}
        refs |= {node.said: node for node in self._nodes.values()}
        if not refs:
            time.sleep(timeout_s)
            return
        done, rest = self._ray.wait(list(refs), num_returns=1, timeout=timeout_s)
        if done and rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        for ref in done:
            speaker = refs[ref]
            if isinstance(speaker, Slot):
                self._take_slot(speaker)
            elif self._nodes.get(speaker.id) is speaker:
                self._take_node(speaker, raising)

    def _take_slot(self, slot: Slot) -> None:
        try:
            slot.locate()
        except self._ray.exceptions.RayError as error:
            self._slots.remove(slot)
            self._fault(error)
            return
        if slot.node not in self._nodes:
            self._nodes[slot.node] = Node(self._ray, slot.node, slot.address, NodeWorker, self._node_settings)

    def _take_node(self, node: Node, raising: bool) -> None:
        try:
            said = self._ray.get(node.said)
        except self._ray.exceptions.RayError as error:
            self._lose(node, error)
            return
        if node.warm:
            node.said = node.actor.receive.remote(_HEAR_S)
            for heard in said:
                self._on_received(heard)
        elif said.problems and raising:
            raise InvalidInput(said.source, [at_node(node.address, problem) for problem in said.problems])
        elif said.problems:
            self._lose(node, BackendError(str(said.problems[0])))
        else:
            node.warm, node.notes = True, said.notes
            node.said = node.actor.receive.remote(_HEAR_S)

    def _on_received(self, heard: Received) -> None:
        running = self._running.get(heard.trial)
        if running is None:
            return
        slot, _, trial_dir = running
        if isinstance(heard, Grown):
            append(trial_dir, heard)
        elif isinstance(heard, Started):
            self._faults = 0
            self._messages.append(Started(heard.trial, f"node {slot.address}, {heard.where}"))
        elif isinstance(heard, Ended):
            slot.trial = None
            self._finish(heard, trial_dir)
        else:
            self._messages.append(heard)

    def _finish(self, ended: Ended, trial_dir: TrialDir) -> None:
        """Say that a trial has ended, once its files are here."""
        running = self._running.pop(ended.trial, None)
        if running is not None:
            running[1].write(trial_dir.job_file)  # with our paths; the node's has its own
        if self._fetching is None:
            self._messages.append(ended)
        else:
            self._fetching.fetch(ended, trial_dir)

    def _lose(self, node: Node, error: Exception) -> None:
        """Report the trials of a node lost, and forget the node."""
        self._nodes.pop(node.id, None)
        with contextlib.suppress(Exception):
            self._ray.kill(node.actor)
        for slot in [slot for slot in self._slots if slot.node == node.id]:
            self._slots.remove(slot)
            with contextlib.suppress(Exception):
                self._ray.kill(slot.actor)
            if slot.trial is not None:
                _, job, trial_dir = self._running[slot.trial]
                reason = f"node {node.address} was lost ({type(error).__name__})"
                result = JobResult(JobStatus.LOST, job.attempt, newest_step(trial_dir.path), reason)
                self._finish(Ended(job.trial, result), trial_dir)
        self._fault(error)
        self._hold(len(self._waiting) + len(self._running))

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        if self._faults > _FAULTS * max(1, self._workers):
            line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BackendError(
                f"nodes of the cluster at {self._cluster.address} fail again and again, the last: {line}",
                "nothing is lost: resume the sweep when the cluster is well; see Ray's logs on its nodes",
            ) from error
