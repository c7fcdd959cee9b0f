"""What a forked process does before and after it runs its job: its own group, log, lock and end."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from typing import NoReturn

from tuner.jobs import Job
from tuner.paths import TrialDir
from tuner.trial.closing import closing_beside
from tuner.trial.run import run_job
from tuner.trial.stopping import StopRequest

_PR_SET_PDEATHSIG = 1


def run_forked(
    job: Job, trial_dir: TrialDir, request: StopRequest, parent: int, only_ours: tuple[str, ...] = ()
) -> NoReturn:
    """Run ``job`` in this process, forked from the warm parent, and end the process.

    Never returns, so nothing of the parent's stack runs twice.

    Args:
        job: What to do.
        trial_dir: The trial's folder.
        request: Set by SIGTERM already.
        parent: Process id of the warm parent.
        only_ours: Variables of the environment that the driver does not have.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        _be_batch_work()
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _log_to(trial_dir)
        _lock(trial_dir, inherited=bool(job.command))
        atexit._clear()  # what the parent registered is the parent's to do
        who = f"trial {job.trial}" if job.task is None else f"{job.task.name} of a cluster"
        print(f"tuner: {who}, life {job.life}, began {_now()}", flush=True)  # noqa: T201
        if job.command:
            from tuner.trial.script import run_command

            run_command(job, trial_dir, request, only_ours)
        elif job.task is not None:
            from tuner.trial.cluster.task import run_task

            run_task(job, job.task, trial_dir, request)
        else:
            with closing_beside():
                run_job(job, trial_dir, request)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            _end_threads_and_hooks()
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


def _log_to(trial_dir: TrialDir) -> None:
    """Send both outputs to the trial's log, appending, and read nothing."""
    log = os.open(trial_dir.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(nothing)


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


def _end_threads_and_hooks() -> None:
    """End as an interpreter does: threads that are no daemons first, then what was registered."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(timeout=30)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
