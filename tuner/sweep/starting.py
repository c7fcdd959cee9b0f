"""A trial that is to run becomes a life of it: its checkpoint put in place, its job written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tuner.jobs import Job
from tuner.paths import SweepDir, TrialDir
from tuner.seeds import derive
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.sweep.commands import command_of, metrics_of, wanted_folders
from tuner.sweep.parts import FORKED_AT, FORKED_FROM
from tuner.sweep.running import Running, how_it_begins
from tuner.trial import checkpoints
from tuner.values import TrialState


def put_checkpoint(
    record: TrialRecord, spec: SweepSpec, sweep_dir: SweepDir, fork: Callable[[Path, int, Path], None]
) -> None:
    """Let a trial that is another's copy begin with that one's checkpoint; nothing is done for others.

    Args:
        record: The trial.
        spec: The sweep.
        sweep_dir: Its folder.
        fork: As ``tuner.trial.checkpoints.fork``.

    Raises:
        OSError: The checkpoint is not there, or cannot be written.
    """
    if FORKED_FROM not in record.tags:
        return
    donor, step, trial = int(record.tags[FORKED_FROM]), int(record.tags[FORKED_AT]), record.number
    of_donor, of_trial = sweep_dir.trial(donor).path, sweep_dir.trial(trial).path
    if spec.command:
        checkpoints.fork_below(of_donor, step, of_trial, {str(donor + 1): str(trial + 1)})
    else:
        fork(of_donor, step, of_trial)


def begins_at(record: TrialRecord) -> int:
    """Return the global step up to which a trial has been judged, or at which it was copied."""
    return max(record.step or 0, int(record.tags.get(FORKED_AT, 0)))


def next_life(
    record: TrialRecord, spec: SweepSpec, trial_dir: TrialDir, stop_at: int | None, threads: int, now: float
) -> Running:
    """Return the next life of a trial, which has not begun.

    Args:
        record: The trial as the study knows it.
        spec: The sweep.
        trial_dir: The trial's folder.
        stop_at: Its rung, or None.
        threads: Threads of its sessions.
        now: On the loop's clock, in seconds.
    """
    record = replace(record, state=TrialState.RUNNING, lives=record.lives + 1, stop_at=stop_at)
    job = Job(
        trial=record.number,
        life=record.lives,
        params={**record.params, **spec.space.constants},
        seed=derive(spec.search.seed, "trial", record.number),
        train=spec.train,
        model=spec.model,
        command=command_of(spec, record, trial_dir),
        objectives=metrics_of(spec) if spec.command else (),
        folders=wanted_folders(spec),
        stop_at=stop_at,
        threads=threads,
    )
    running = Running(record, job, now, spec.objectives, spec.constraints)
    newest = (checkpoints.newest_step_below if spec.command else checkpoints.newest_step)(trial_dir.path)
    running.began_at = running.reached = max(begins_at(record), newest or 0)
    # Of a command only a checkpoint says that it goes on: what it reported it may do again.
    running.begins = how_it_begins(record, newest if spec.command else running.began_at)
    return running
