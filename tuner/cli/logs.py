"""``tuner logs``: the log of a trial."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.readers import has_left
from tuner.domain.tf_cluster import CHIEF
from tuner.errors import InvalidInput, Problem
from tuner.files.driver_lock import held
from tuner.files.paths import TrialDir
from tuner.text import suggestion

_STACKS_S = 0.5  # for a process to write its stacks


@command("logs")
def logs(
    name: Annotated[str, typer.Argument(metavar="NAME:N", help="Sweep and trial, as housing:7.", show_default=False)],
    trial: Annotated[
        int | None, typer.Option("--trial", metavar="N", min=0, help="The trial's number.", hidden=True)
    ] = None,
    task: Annotated[
        str, typer.Option("--task", help="Of a trial that is a cluster: worker-0, ps-0, evaluator-0.", metavar="TASK")
    ] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the trial ends.")] = False,
    stacks: Annotated[
        bool, typer.Option("--stacks", help="Show where its process stands now, as Python's stacks, and nothing else.")
    ] = False,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the log of a trial; of one that is a cluster, its chief's, or that of another task."""
    from tuner.cli.targets import open_one_trial
    from tuner.domain.job import hiding_of_job

    del debug
    sweep, number = open_one_trial(name, trial, root)
    trial_dir = sweep.dir.trial(number)
    file = (_of_task(trial_dir, number, task) if task else trial_dir).log_file
    if not file.exists():
        there = [other.number for other in sweep.result().trials]
        found = f"it has trials 0 to {max(there)}" if there else "it has no trials yet"
        if number in there:
            found = "simulated trials write none" if sweep.spec.simulation else "its process has not begun"
        raise InvalidInput("", f"the sweep {sweep.spec.name!r} has no log of trial {number}: {found}")
    hide, rest = hiding_of_job(trial_dir.job_file), b""
    with file.open("rb") as stream:
        if stacks:
            stream.seek(0, os.SEEK_END)
            _ask_for_stacks(f"{sweep.spec.name}:{number}", TrialDir(file.parent))
        while True:
            *lines, rest = (rest + stream.read()).split(b"\n")
            over = not follow or (not lines and not held(trial_dir.lock_file))
            text = b"".join(line + b"\n" for line in lines) + (rest if over else b"")
            shown = hide(text.decode("utf-8", errors="surrogateescape"))
            sys.stdout.buffer.write(shown.encode("utf-8", errors="surrogateescape"))
            sys.stdout.buffer.flush()
            if over or has_left():
                return 0
            time.sleep(0 if lines else 0.3)


def _ask_for_stacks(name: str, trial_dir: TrialDir) -> None:
    """Have the trial's process write into its log where it stands.

    Raises:
        InvalidInput: It does not run on this machine, or is a program that knows nothing of this.
    """
    try:
        pid = int(trial_dir.lock_file.read_text()) if held(trial_dir.lock_file) else 0
        caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        raise InvalidInput("--stacks", f"{name} does not run on this machine (with Linux), so there are none") from None
    if not caught or not int(caught[1], 16) >> (signal.SIGUSR1 - 1) & 1:  # a signal would end it
        raise InvalidInput("--stacks", f"{name} is a program of its own, and its stacks are not known here")
    os.kill(pid, signal.SIGUSR1)
    time.sleep(_STACKS_S)


def _of_task(trial_dir: TrialDir, number: int, task: str) -> TrialDir:
    """Return the folder of a task of a trial's cluster; the chief's is the trial's own."""
    tasks = trial_dir.tasks
    if tasks and task in (str(CHIEF), CHIEF.folder):
        return trial_dir
    if task not in tasks:
        found = f"it has {', '.join([str(CHIEF), *tasks])}" if tasks else "it is one process (leave out --task)"
        raise InvalidInput(
            "", [Problem("--task", f"trial {number} has no task {task!r}: {found}", suggestion(task, tasks))]
        )
    return trial_dir.task(task)
