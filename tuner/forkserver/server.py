"""The fork server: imports TensorFlow and the user's model once, forks a process for each trial.

Runs as ``python -m tuner.forkserver.server FD`` with one end of a socket as file descriptor FD; JSON lines
both ways. From the driver: ``{"do": "warm", "model": {...}}`` or ``{"do": "warm", "command": [...]}``
once, ``{"do": "start", "trial": 7, "dir": "...", "env": {}}`` (the job is in the folder), ``{"do":
"signal", "trial": 7, "signal": 15}``, ``{"do": "fork", "function": "module:name", "argument": "..."}`` with a
socket, on which alone that process talks to the driver. To the driver: ``ready``, ``refused``, ``started`` or
``unstarted``, ``ended``.

TensorFlow must not run an op here, nor CUDA start: forks of such a process may hang. When the
driver's end of the socket closes, everything ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from tuner.domain.job import Job
from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput, TunerError
from tuner.estimator.stop_control import StopRequest
from tuner.files.paths import TrialDir
from tuner.forkserver.child import run_forked, run_function
from tuner.forkserver.preload import preload_model, preload_script
from tuner.processes import drop_private_env, ignore_signals, signals_blocked
from tuner.script.command_line import recognise

_PAUSES_S = (0.1, 0.3, 1.0)  # between attempts to fork; the driver, too, starts a trial several times


class ForkServer:
    """Fork trials on request and say how they ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = b""
        self._children: dict[int, int] = {}  # pid to trial
        self._private_env: tuple[str, ...] = ()  # variables that the driver's environment does not have
        self._programs = False  # whether trials are programs of their own
        self._passed: list[socket.socket] = []  # by the driver, for forks that were not made yet
        self._wakeup, self._wakeup_end = socket.socketpair()

    def serve(self) -> None:
        """Serve until the driver's end of the channel closes, then end all trials."""
        self._wake_on_child()
        selector = selectors.DefaultSelector()
        selector.register(self._channel, selectors.EVENT_READ)
        selector.register(self._wakeup, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._channel and not self._obey():
                        return
                    if key.fileobj is self._wakeup:
                        self._wakeup.recv(4096)
                self._reap()
        finally:
            self._end_all()

    def _wake_on_child(self) -> None:
        self._wakeup.setblocking(False)
        self._wakeup_end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_end.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)

    def _obey(self) -> bool:
        """Do what the driver says; False when it is gone."""
        try:
            data, sockets, _, _ = socket.recv_fds(self._channel, 65536, 8)
        except OSError:
            return False
        self._passed += [socket.socket(fileno=one) for one in sockets]
        if not data:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["do"] == "warm":
                self._warm(order)
            elif order["do"] == "start":
                self._start(order["trial"], TrialDir(Path(order["dir"])), order.get("env", {}))
            elif order["do"] == "signal":
                self._signal(order["trial"], order["signal"])
            elif order["do"] == "fork":
                self._fork_function(order["function"], order["argument"])
        return True

    def _send(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # the driver is gone: serve() ends with the next read
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def _warm(self, order: dict[str, Any]) -> None:
        try:
            gpus = order.get("gpus", False)
            if order.get("command"):
                self._private_env = tuple(order["private_env"])
                program = recognise(order["command"], Path.cwd())
                self._programs = not program.forked
                notes = preload_script(program, gpus)
            else:
                model = ModelRef(**{**order["model"], "import_paths": tuple(order["model"]["import_paths"])})
                notes = preload_model(model, gpus)
        except InvalidInput as error:
            self._send(event="refused", source=error.source, problems=[vars(p) for p in error.problems])
        except TunerError as error:
            self._send(event="refused", source="", problems=[{"where": "", "message": str(error), "hint": ""}])
        else:
            gc.freeze()  # a collection in a child would touch, and so copy, every page of the parent
            self._send(event="ready", notes=notes)

    def _start(self, trial: int, trial_dir: TrialDir, env: dict[str, str]) -> None:
        """Fork a trial, or say why it cannot be: the others are to go on."""
        parent = os.getpid()
        try:
            job = Job.read(trial_dir.job_file)
            sys.stdout.flush()
            sys.stderr.flush()
            request = StopRequest()
            request.on_signal()  # before there is a trial that could be told; here nobody looks at it
            with signals_blocked():  # what comes before a new process has run, Python forgets
                pid = _fork()
        except (OSError, ValueError, TypeError, KeyError) as error:
            self._send(event="unstarted", trial=trial, reason=f"its process cannot be started: {error}")
            return
        if pid == 0:
            os.environ.update(env)
            self._become_trial(job, trial_dir, request, parent)
        with contextlib.suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(pid, pid)
        self._children[pid] = trial
        self._send(event="started", trial=trial, pid=pid)

    def _fork_function(self, function: str, argument: str) -> None:
        """Fork a process that calls a function; the driver sees by its socket if there is none."""
        with self._passed.pop(0) as driver, contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            if _fork() == 0:
                self._become_child()
                run_function(function, argument, driver)

    def _become_child(self) -> None:
        gc.enable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._channel, self._wakeup, self._wakeup_end, *self._passed):
            end.close()

    def _become_trial(self, job: Job, trial_dir: TrialDir, request: StopRequest, parent: int) -> NoReturn:
        self._become_child()
        run_forked(job, trial_dir, request, parent, self._private_env)

    def _signal(self, trial: int, signum: int) -> None:
        for pid in [pid for pid, number in self._children.items() if number == trial]:
            with contextlib.suppress(ProcessLookupError):
                # Asked to stop, a trial of ours alone is told; killed, all that it has started.
                whole_group = signum == signal.SIGKILL or self._programs
                os.killpg(pid, signum) if whole_group else os.kill(pid, signum)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            trial = self._children.pop(pid, None)
            if trial is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # what the trial left running
                self._send(event="ended", trial=trial, status=os.waitstatus_to_exitcode(status))

    def _end_all(self) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        for pid in self._children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _fork() -> int:
    """Fork, waiting a little if the machine's processes or memory are used up for the moment.

    Raises:
        OSError: They still are.
    """
    for pause_s in _PAUSES_S:
        with contextlib.suppress(OSError):
            return os.fork()
        time.sleep(pause_s)
    return os.fork()


def main() -> None:
    """Serve on the file descriptor that the command line names."""
    ignore_signals()
    drop_private_env(sys.argv[2:])
    gc.disable()  # what is imported stays; looking for garbage in it takes a fifth of the time of importing
    # No PR_SET_PDEATHSIG here: the driver may have started us from a thread that ends before it does.
    ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # what TensorFlow has imported takes a second to take apart on a busy machine, and a sweep's end waits


if __name__ == "__main__":
    main()
