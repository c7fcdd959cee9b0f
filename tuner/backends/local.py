"""Trials as processes forked from a fork server on this machine.

The parent is ``tuner.forkserver.server``, talked to over a socket; evaluations are read from the event
files in the trials' folders.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tuner.backends.base import Backend, Ended, Message, Placement, Reported, Started
from tuner.backends.local_trial import LocalTrial
from tuner.backends.resources import share_of_machine
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import ModelRef, SweepSpec
from tuner.domain.tf_cluster import names_of
from tuner.errors import BackendError, InvalidInput, Problem
from tuner.events import Follower, ScriptFollower
from tuner.events.changes import Changes
from tuner.events.script_follower import for_every_trial, for_trial
from tuner.files import backup
from tuner.files.checkpoints import newest_step
from tuner.files.paths import SweepDir, TrialDir
from tuner.forkserver.allocator import allocator
from tuner.processes import private_env, start_server
from tuner.script.command_line import recognise

_STARTS = 5  # of a server that is killed while it warms up
_TICK_S = 0.05  # how often event files are looked at, whoever says that there is something new
_SHORT_TICK_S = 0.015  # if nobody says it, unless looking costs
_PATIENCE = 50  # from one look to the next then, at least so many times as long as a look takes


class Devices(Protocol):
    """What hands out the machine's devices to trials."""

    def assign(self, trial: int) -> Mapping[str, str]:
        """Give a trial its devices; return what its environment needs."""

    def free(self, trial: int) -> None:
        """Take them back; allowed for a trial that has none."""


class LocalBackend(Backend):
    """Run trials in forked processes; see ``Backend``.

    Args:
        model: The user's model, or None in script mode.
        log_file: Where the fork server's own output goes.
        command: The command of script mode.
        command_dir: Its working directory.
        devices: Hands out GPUs; None leaves trials the environment of this process.
    """

    runs_scripts: ClassVar[bool] = True
    runs_clusters: ClassVar[bool] = True

    @classmethod
    def place(cls, spec: SweepSpec, sweep_dir: SweepDir) -> Placement:
        share = share_of_machine(spec)
        model, log_file, devices = spec.model, sweep_dir.driver_log_file, share.devices
        asked = spec.search.workers
        notes: tuple[str, ...] = ()
        if asked is not None and asked > share.workers:
            notes = (f"this machine has room for {share.workers} trials at a time; --workers is {asked}",)
        if spec.cluster is None:
            backend = cls(model, log_file, spec.command, spec.command_dir, devices)
            return Placement(backend, share.workers, share.threads, notes)
        from tuner.backends.tf_cluster import ClusterBackend, LocalAddresses, TaskDevices

        shared = TaskDevices(devices, names_of(spec.cluster)) if devices else None
        tasks = ClusterBackend(cls(model, log_file, devices=shared), spec.cluster, LocalAddresses())
        return Placement(tasks, share.workers, share.threads, notes)

    def __init__(
        self,
        model: ModelRef | None,
        log_file: Path,
        command: tuple[str, ...] = (),
        command_dir: str = "",
        devices: Devices | None = None,
    ) -> None:
        self._model = model
        self._command = command
        self._command_dir = command_dir
        self._folders: dict[str, str] = {}  # in which commands had objectives that no evaluation had
        self._log_file = log_file
        self._devices = devices
        self._allocator = allocator()
        self._server: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._buffer = b""
        self._warm = False
        self._trials: dict[int, LocalTrial] = {}
        self._changes = Changes()
        self._unwatched: set[int] = set()  # trials of which nobody says when they evaluate
        self._look_s = 0.0  # how long the last look took
        self._messages: list[Message] = []

    def open(self) -> list[str]:
        """Start the fork server and wait until it is warm."""
        self.begin()
        return self._wait_until_warm()

    def begin(self) -> None:
        """Start the fork server without waiting for it, so that others may start beside it."""
        if self._server is not None:
            return
        self._server, self._channel = start_server(
            "tuner.forkserver.server", self._log_file, self._command_dir, self._allocator
        )
        self._buffer, self._warm = b"", False
        gpus = self._devices is not None
        if self._model is not None:
            self._send(do="warm", model=dataclasses.asdict(self._model), gpus=gpus)
        else:
            self._send(do="warm", command=self._command, private_env=private_env(), gpus=gpus)

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        trial_dir.result_file.unlink(missing_ok=True)
        job.write(trial_dir.job_file)
        offered = backup.Offered(trial_dir.path) if self._is_program(job) else None
        self._trials[job.trial] = LocalTrial(job, trial_dir, self._follower(job, trial_dir), offered)
        if job.command or not self._changes.watch(trial_dir.path):
            self._unwatched.add(job.trial)
        env = dict(self._devices.assign(job.trial)) if self._devices else {}
        self._send(do="start", trial=job.trial, dir=str(trial_dir.path.absolute()), env=env)

    def _is_program(self, job: Job) -> bool:
        """Whether a job's command keeps nothing by itself from what it clears: it is no Python of ours."""
        return bool(job.command) and not recognise(job.command, self._command_dir).forked

    def _follower(self, job: Job, trial_dir: TrialDir) -> Follower | ScriptFollower:
        if not job.command:
            return Follower(trial_dir.path)
        known = {tag: for_trial(folder, job.trial) for tag, folder in self._folders.items()}
        return ScriptFollower(trial_dir.path, job.objectives, known, job.folders)

    def wait(self, timeout_s: float) -> list[Message]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._receive(min(self._tick_s, max(0.0, deadline - time.monotonic())))
            began = time.monotonic()
            for trial in list(self._trials.values()):
                self._messages += trial.new_reports()
            self._look_s = time.monotonic() - began
            if self._messages or time.monotonic() >= deadline:
                messages, self._messages = self._messages, []
                return _in_order(messages)

    @property
    def _tick_s(self) -> float:
        """How long nobody looks at event files, if nobody says that there is something new."""
        return min(_TICK_S, max(_SHORT_TICK_S, _PATIENCE * self._look_s)) if self._unwatched else _TICK_S

    def stop(self, trial: int, kill: bool) -> None:
        if trial in self._trials:
            self._trials[trial].asked = True
            self._send(do="signal", trial=trial, signal=signal.SIGKILL if kill else signal.SIGTERM)

    def fork_function(self, function: str, argument: str) -> socket.socket | None:
        if self._model is None or self._channel is None:
            return None
        ours, theirs = socket.socketpair()
        order = {"do": "fork", "function": function, "argument": argument}
        with theirs, contextlib.suppress(OSError):  # the server is gone: the other end of ours is closed, too
            socket.send_fds(self._channel, [json.dumps(order).encode() + b"\n"], [theirs.fileno()])
        return ours

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._server is not None:
            if not self._warm:
                self._server.kill()  # it reads nothing while it imports
            try:
                self._server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._kill_groups()
            self._server = None
        for trial in self._trials.values():
            if trial.offered is not None:
                trial.offered.close()
        self._trials.clear()
        self._unwatched.clear()
        self._changes.close()

    @property
    def server_pid(self) -> int | None:
        """Process id of the fork server, for those who watch it."""
        return self._server.pid if self._server else None

    def _send(self, **order: Any) -> None:
        assert self._channel is not None, "open() comes first"
        with contextlib.suppress(OSError):  # the server is gone: the next read says so
            self._channel.sendall(json.dumps(order).encode() + b"\n")

    def _receive(self, timeout_s: float) -> None:
        """Take what the server says; what it says of a trial's end comes after the trial's reports."""
        assert self._channel is not None, "open() comes first"
        if not self._is_said(timeout_s):
            return
        try:
            data = self._channel.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._server_is_gone()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._on_message(json.loads(line))

    def _is_said(self, timeout_s: float) -> bool:
        """Wait until the server says something, or a trial evaluates; return whether the server does."""
        heard = [self._channel, *([self._changes.descriptor] if self._changes.descriptor >= 0 else ())]
        deadline = time.monotonic() + timeout_s
        while True:
            found = select.select(heard, [], [], max(0.0, deadline - time.monotonic()))[0]
            if self._channel in found or not found or self._changes.take():
                return self._channel in found

    def _on_message(self, said: dict[str, Any]) -> None:
        trial = self._trials.get(said.get("trial", -1))
        if trial is None:
            return
        if said["event"] == "started":
            trial.pid = said["pid"]
            self._messages.append(Started(trial.job.trial, f"pid {trial.pid}"))
        elif said["event"] == "unstarted":
            step = newest_step(trial.dir.path)
            self._end(trial, JobResult(JobStatus.LOST, trial.job.attempt, step, said["reason"]))
        elif said["event"] == "ended":
            self._end(trial, trial.result(said["status"]))

    def _end(self, trial: LocalTrial, result: JobResult) -> None:
        del self._trials[trial.job.trial]
        self._unwatched.discard(trial.job.trial)
        self._changes.forget(trial.dir.path)
        if self._devices:
            self._devices.free(trial.job.trial)
        self._messages += trial.new_reports()
        if isinstance(trial.follower, ScriptFollower):
            self._messages += [Reported(trial.job.trial, found) for found in trial.follower.finish()]
            self._folders |= {
                tag: for_every_trial(folder, trial.job.trial) for tag, folder in trial.follower.learnt.items()
            }
            result = dataclasses.replace(result, seen=tuple(trial.follower.seen))
            result = trial.with_clearing_note(result.noted(trial.follower.note) if trial.follower.note else result)
            backup.remove(trial.dir)
            if trial.offered is not None:
                trial.offered.close()
        damage = tuple(map(str, trial.follower.damage))
        self._messages.append(Ended(trial.job.trial, result, damage))

    def _server_is_gone(self) -> None:
        """Report all trials lost (they died with the server) and start another server."""
        assert self._channel is not None and self._server is not None
        self._channel.close()
        self._server.wait()
        self._kill_groups()
        for trial in list(self._trials.values()):
            step = newest_step(trial.dir.path)
            self._end(trial, JobResult(JobStatus.LOST, trial.job.attempt, step, "the fork server died"))
        self._server = None
        self.begin()
        self._wait_until_warm()

    def _kill_groups(self) -> None:
        """End what trials have started; the trials themselves die with their parent."""
        for trial in self._trials.values():
            if trial.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(trial.pid, signal.SIGKILL)

    def _wait_until_warm(self) -> list[str]:
        """Wait until the server is warm; one that is killed while it warms up is started again."""
        for left in reversed(range(_STARTS)):
            line = self._first_line()
            if line is not None:
                self._warm = True
                return self._warmed(json.loads(line))
            assert self._server is not None and self._channel is not None
            status = self._server.wait()
            self._channel.close()
            self._server = self._channel = None
            self._allocator = {}  # it may be what does not go with something that the model imports
            if status >= 0 or not left:
                raise BackendError(
                    f"the process that imports TensorFlow and the model ended with status {status} before it was ready",
                    f"its output is in {self._log_file}",
                )
            self.begin()
        raise AssertionError("unreachable")

    def _first_line(self) -> bytes | None:
        """Return what the server says first, or None if it ends without a word."""
        assert self._channel is not None
        while b"\n" not in self._buffer:
            try:
                data = self._channel.recv(65536)
            except OSError:
                data = b""
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _warmed(self, said: dict[str, Any]) -> list[str]:
        if said["event"] == "refused":
            problems = [Problem(**problem) for problem in said["problems"]]
            self.close()
            raise InvalidInput(said["source"], problems)
        return list(said["notes"])


def _in_order(messages: list[Message]) -> list[Message]:
    """Put a trial's start before its reports, and leave all else in the order in which it came."""
    started = [message for message in messages if isinstance(message, Started)]
    return started + [message for message in messages if not isinstance(message, Started)]
