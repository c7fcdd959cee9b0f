"""``tuner logs``: the log of a trial."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.errors import InvalidInput, Problem
from tuner.near import near
from tuner.paths import TrialDir
from tuner.tasks import CHIEF


@command("logs")
def logs(
    name: Annotated[str, typer.Argument(metavar="NAME:N", help="Sweep and trial, as housing:7.", show_default=False)],
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="The trial's number.", hidden=True)] = None,
    task: Annotated[
        str, typer.Option("--task", help="Of a trial that is a cluster: worker-0, ps-0, evaluator-0.", metavar="TASK")
    ] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the trial ends.")] = False,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Show the log of a trial; of one that is a cluster, its chief's, or that of another task."""
    from tuner.cli.naming import open_one_trial

    del debug
    sweep, number = open_one_trial(name, trial, root)
    trial_dir = sweep.dir.trial(number)
    file = (_of_task(trial_dir, number, task) if task else trial_dir).log_file
    if not file.exists():
        there = [other.number for other in sweep.result().trials]
        found = f"trials 0 to {max(there)}" if there else "no trials yet"
        raise InvalidInput("", f"the sweep {sweep.spec.name!r} has no log of trial {number}; it has {found}")
    with file.open("rb") as stream:
        while True:
            data = stream.read()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            if not follow or (not data and _ended(trial_dir.lock_file)):
                return 0
            time.sleep(0 if data else 0.3)


def _of_task(trial_dir: TrialDir, number: int, task: str) -> TrialDir:
    """Return the folder of a task of a trial's cluster; the chief's is the trial's own."""
    tasks = trial_dir.tasks
    if tasks and task in (str(CHIEF), CHIEF.folder):
        return trial_dir
    if task not in tasks:
        found = f"it has {', '.join([str(CHIEF), *tasks])}" if tasks else "it is one process (leave out --task)"
        raise InvalidInput("", [Problem("--task", f"trial {number} has no task {task!r}: {found}", near(task, tasks))])
    return trial_dir.task(task)


def _ended(lock_file: Path) -> bool:
    """Whether no process holds the trial's folder."""
    import fcntl

    try:
        with lock_file.open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
