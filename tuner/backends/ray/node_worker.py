"""One a node: holds the fork server there, runs trials in processes forked from it, follows their event files.

Made as a Ray actor by the backend, and told in orders; it knows nothing of Ray. When its process ends,
however it does, the fork server and the trials end with it.
"""

from __future__ import annotations

import collections
import os
import shutil
import site
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from tuner._version import __version__
from tuner.backends.base import Ended, Message
from tuner.backends.local import LocalBackend
from tuner.backends.ray.file_transfer import FileTransfer
from tuner.backends.ray.messages import Begin, NodeSettings, Order, Received, Warm
from tuner.backends.ray.node_files import NodeFiles
from tuner.backends.tf_cluster.ports import ReservedPorts
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.spec import ModelRef
from tuner.errors import BackendError, InvalidInput, Problem
from tuner.files.paths import TrialDir, inside

_TICK_S = 0.1
_PREFIX = "tuner-node-"


class _Given:
    """Hands out the devices that Ray has chosen."""

    def __init__(self) -> None:
        self.env: dict[int, Mapping[str, str]] = {}

    def assign(self, trial: int) -> Mapping[str, str]:
        return self.env.get(trial, {})

    def free(self, trial: int) -> None:
        self.env.pop(trial, None)


class NodeWorker:
    """Run the trials of one node. ``open`` first, ``close`` last; ``tell`` may be called beside ``receive``."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self._orders: collections.deque[Order] = collections.deque()
        self._devices = _Given()
        self._local: LocalBackend | None = None
        self._mailbox: FileTransfer | None = None
        self._away: dict[int, NodeFiles] = {}
        self._unbegun: list[Received] = []
        self._hearing = threading.Lock()
        self._ports: dict[int, ReservedPorts] = {}
        self._closing = False
        self._dir = Path()

    def open(self) -> Warm:
        """Import TensorFlow and the model in a fork server."""
        settings = self._settings
        if __version__ != settings.version:
            return _refused(f"has tuner {__version__}, the driver {settings.version}", "install the same version")
        _remove_leftovers()
        self._dir = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        if problem := self._sees_files():
            return Warm(problems=(problem,))
        model = _on_this_node(settings.model, settings.working_dir)
        if model.file and not Path(model.file).is_file():
            return _refused(
                f"has no file {model.file}, where the model is on the driver",
                "set ray.working_dir: . in the file, which copies its folder to every node",
            )
        _let_children_import_us()
        self._local = LocalBackend(model, self._dir / "server.log", devices=self._devices)
        try:
            return Warm(tuple(self._local.open()))
        except InvalidInput as error:
            return Warm(source=error.source, problems=error.problems)
        except BackendError as error:
            tail = (self._dir / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
            return _refused("\n".join([error.message, *tail]), error.hint)

    def tell(self, order: Order) -> None:
        """Take an order; orders are obeyed while ``receive`` waits."""
        self._orders.append(order)

    def receive(self, timeout_s: float) -> list[Received]:
        """Return what happened, waiting up to ``timeout_s`` seconds for something to happen."""
        assert self._local is not None, "open() comes first"
        deadline = time.monotonic() + timeout_s
        heard, self._unbegun = self._unbegun, []
        with self._hearing:
            while not heard and not self._closing and time.monotonic() < deadline:
                while self._orders:
                    self._obey(self._orders.popleft())
                messages = self._local.wait(_TICK_S)
                heard += messages if self._mailbox is None else self._through_mailbox(messages)
        return heard

    def take_ports(self, trial: int, count: int) -> list[int]:
        """Return ports for tasks of a trial on this node, held until they are freed."""
        self.free_ports(trial)
        self._ports[trial] = held = ReservedPorts(count, "")  # of all addresses: nodes may share a machine
        return held.ports

    def free_ports(self, trial: int) -> None:
        """Give back the ports of a trial; allowed for one that has none."""
        if (held := self._ports.pop(trial, None)) is not None:
            held.release()

    def close(self) -> None:
        """End everything; ``receive`` returns early."""
        self._closing = True
        with self._hearing:
            if self._local is not None:
                self._local.close()
        for away in self._away.values():
            away.close()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _obey(self, order: Order) -> None:
        assert self._local is not None
        if not isinstance(order, Begin):
            self._local.stop(order.trial, order.kill)
            return
        job = order.job
        if job.model is not None:
            job = replace(job, model=_on_this_node(job.model, self._settings.working_dir))
        self._devices.env[job.trial] = order.env
        folder = Path(order.folder)
        if self._mailbox is not None:
            folder = inside(self._dir, f"{order.folder}.{job.attempt}")
            try:
                settings = self._settings
                away = NodeFiles(self._mailbox, order.folder, folder, job, settings.objective, settings.constraints)
            except Exception as error:  # each file system has errors of its own
                reason = f"its files cannot be fetched: {type(error).__name__}: {error}"
                self._unbegun.append(Ended(job.trial, JobResult(JobStatus.LOST, job.attempt, None, reason)))
                return
            self._away[job.trial] = away
        self._local.start(job, TrialDir(folder))

    def _through_mailbox(self, messages: list[Message]) -> list[Received]:
        """Hold messages back until what they rest on has been sent."""
        assert self._local is not None
        heard: list[Received] = []
        for trial, away in list(self._away.items()):
            mine = [message for message in messages if message.trial == trial]
            passed = away.pass_on(mine)
            heard += passed
            if away.broken and not away.killed:
                away.killed = True
                self._local.stop(trial, kill=True)
            if passed and isinstance(passed[-1], Ended):
                del self._away[trial]
        return heard

    def _sees_files(self) -> Problem | None:
        settings = self._settings
        if settings.mailbox:
            try:
                self._mailbox = FileTransfer(settings.mailbox, settings.mailbox_secret)
                if self._mailbox.reads_probe(settings.token):
                    return None
                found = "what the driver wrote there is not there"
            except Exception as error:  # each file system has errors of its own
                found = f"{type(error).__name__}: {error}"
            hint = "ray.storage names a place that the driver and all nodes can reach"
            return Problem("", f"cannot use the storage {settings.mailbox}: {found}", hint)
        if (Path(settings.shared_dir) / f".probe-{settings.token}").exists():
            return None
        return Problem(
            "",
            f"does not see the driver's folder {settings.shared_dir}",
            "share it under that path, or set ray.storage to a URL through which trials' files can travel",
        )


def _refused(message: str, hint: str) -> Warm:
    return Warm(problems=(Problem("", message, hint),))


def _on_this_node(model: ModelRef, working_dir: str) -> ModelRef:
    """Return the model with the paths that this node's copy of the driver's folder has."""
    if not working_dir or "://" in working_dir:
        return model
    here = Path.cwd()

    def moved(path: str) -> str:
        inside = Path(path).is_relative_to(working_dir)
        return str(here / Path(path).relative_to(working_dir)) if inside else path

    paths = tuple(dict.fromkeys([*map(moved, model.import_paths), str(here)]))
    return replace(model, file=moved(model.file) if model.file else "", import_paths=paths)


def _let_children_import_us() -> None:
    """Ray may have put tuner on this process's path alone; the fork server is a fresh interpreter."""
    ours = str(Path(__file__).parents[3])
    if ours in (*site.getsitepackages(), site.getusersitepackages()):
        return
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if ours not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([ours, *filter(None, paths)])


def _remove_leftovers() -> None:
    """Remove the folders of workers that were killed on this node."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name[len(_PREFIX) :].partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
