"""What a forked process does before and after it runs its job: its own group, log, lock and end."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import faulthandler
import fcntl
import importlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from typing import NoReturn

from tuner.domain.job import Job, JobResult
from tuner.estimator.session_close import close_sessions_in_background
from tuner.estimator.stop_control import StopRequest
from tuner.files.paths import TrialDir
from tuner.processes import log_to
from tuner.trial.no_progress import end_without_progress
from tuner.trial.run import run_job

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 10.0  # with threads that the model leaves, which an interpreter would wait for without end


def run_forked(
    job: Job, trial_dir: TrialDir, request: StopRequest, parent: int, private_env: tuple[str, ...] = ()
) -> NoReturn:
    """Run ``job`` in this process, forked from the fork server, and end the process.

    Never returns, so nothing of the parent's stack runs twice.

    Args:
        job: What to do.
        trial_dir: The trial's folder.
        request: Set by SIGTERM already.
        parent: Process id of the fork server.
        private_env: Variables of the environment that the driver does not have.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        _be_batch_work()
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _log_to(trial_dir, private=trial_dir.private_file.exists())
        faulthandler.register(signal.SIGUSR1)  # which `tuner logs NAME:7 --stacks` sends
        _lock(trial_dir, inherited=bool(job.command))
        atexit._clear()  # what the parent registered is the parent's to do
        who = f"trial {job.trial}" if job.task is None else f"{job.task.name} of a cluster"
        print(f"tuner: {who}, attempt {job.attempt}, began {_now()}", flush=True)  # noqa: T201
        if job.command:
            from tuner.trial.script import run_command

            run_command(job, trial_dir, request, private_env)
        elif job.task is not None:
            from tuner.trial.tf_cluster.task import run_task

            run_task(job, job.task, trial_dir, request)
        else:
            with close_sessions_in_background(), end_without_progress(job, trial_dir):
                run_job(job, trial_dir, request)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            _end_threads_and_hooks(job, trial_dir)
        os._exit(status)


def run_function(function: str, argument: str, driver: socket.socket) -> NoReturn:
    """Call a function in this process, forked from the fork server, and end the process.

    It outlives the fork server, and is told when to end by the end of its standard input.

    Args:
        function: ``module:name``.
        argument: Of it.
        driver: Becomes its standard input.
    """
    status = 1
    try:
        os.setsid()
        os.dup2(driver.fileno(), 0)
        driver.close()
        atexit._clear()  # what the parent registered is the parent's to do
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(argument)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _be_batch_work() -> None:
    """Tell the kernel that this process computes and need not answer quickly (Linux).

    It then wakes up threads without interrupting those that run: of two trials on two cores each is
    interrupted a tenth as often, and the driver and other programs still answer at once.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that forked it ends (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _log_to(trial_dir: TrialDir, private: bool) -> None:
    """Send both outputs to the trial's log, appending, and read nothing.

    Args:
        trial_dir: Its folder.
        private: Whether the trial has secrets, which it may write: its owner alone can read the log then.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    log_to(trial_dir.log_file, 0o600 if private else 0o644)


def _lock(trial_dir: TrialDir, inherited: bool) -> None:
    """Hold the folder as long as this process or one forked from it lives; wait for a former one.

    Args:
        trial_dir: The folder.
        inherited: Whether programs that take this process's place hold it too.
    """
    lock = os.open(trial_dir.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    os.set_inheritable(lock, inherited)


def _end_threads_and_hooks(job: Job, trial_dir: TrialDir) -> None:
    """End as an interpreter does: threads that are no daemons first, then what was registered."""
    if left := end_threads(_PATIENCE_S):
        note = f"the model leaves a thread running ({left}), for which each trial waits {_PATIENCE_S:g} s at its end"
        print(f"tuner: {note}", flush=True)  # noqa: T201
        _add_note(job, trial_dir, f"{note}: end it, or make it a daemon")
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()


def end_threads(patience_s: float) -> str:
    """Wait for the threads that are no daemons; return the name of one that still runs, or nothing.

    Args:
        patience_s: For all of them together.
    """
    for end in reversed(getattr(threading, "_threading_atexits", [])):  # which tells idle executors to end
        end()
    deadline = time.monotonic() + patience_s
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    others.remove(threading.current_thread())
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    return next((thread.name for thread in others if thread.is_alive()), "")


def _add_note(job: Job, trial_dir: TrialDir, note: str) -> None:
    """Add a note to the result, which was written when the job was done."""
    result = JobResult.read(trial_dir.result_file, job.attempt)
    if result is not None:
        result.noted(note).write(trial_dir.result_file)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
