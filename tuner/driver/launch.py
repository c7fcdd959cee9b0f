"""A trial that is to run becomes an attempt of it: its checkpoint put in place, its job written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tuner.domain.job import Job, beginning
from tuner.domain.seeds import derive
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import FORKED_AT, FORKED_FROM
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.running_trial import RunningTrial
from tuner.events.foreign import list_foreign_events
from tuner.files import checkpoints
from tuner.files.paths import SweepDir, TrialDir
from tuner.hiding import is_secret
from tuner.script.command_line import fill, recognise
from tuner.script.objective_folders import metrics_of, wanted_folders


def copy_donor_checkpoint(
    record: TrialRecord, spec: SweepSpec, sweep_dir: SweepDir, fork: Callable[[Path, int, Path], None]
) -> None:
    """Let a trial that is another's copy begin with that one's checkpoint; nothing is done for others.

    Args:
        record: The trial.
        spec: The sweep.
        sweep_dir: Its folder.
        fork: As ``tuner.files.checkpoints.fork``.

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


def first_step(record: TrialRecord) -> int:
    """Return the global step up to which a trial has been judged, or at which it was copied."""
    return max(record.step or 0, int(record.tags.get(FORKED_AT, 0)))


def new_attempt(
    record: TrialRecord, spec: SweepSpec, trial_dir: TrialDir, stop_at: int | None, threads: int
) -> RunningTrial:
    """Return the next attempt of a trial, which has not begun; what others evaluated meanwhile is listed as foreign.

    Args:
        record: The trial as the study knows it.
        spec: The sweep.
        trial_dir: The trial's folder.
        stop_at: Its rung, or None.
        threads: Threads of its sessions.
    """
    if record.idle_since:  # it ran before
        list_foreign_events(trial_dir, record.idle_since)
    record = replace(record, state=TrialState.RUNNING, attempts=record.attempts + 1, stop_at=stop_at)
    job = Job(
        trial=record.number,
        attempt=record.attempts,
        params={**record.params, **spec.space.constants},
        seed=derive(spec.search.seed, "trial", record.number),
        train=spec.train,
        model=spec.model,
        command=command_of(spec, record, trial_dir),
        objectives=metrics_of(spec) if spec.command else (),
        folders=wanted_folders(spec) if spec.command else {},
        stop_at=stop_at,
        threads=threads,
        no_progress_timeout_s=spec.search.no_progress_timeout_s,
        secrets=tuple(name for name, value in spec.space.constants.items() if is_secret(name, value)),
    )
    newest = (checkpoints.newest_step_below if spec.command else checkpoints.newest_step)(trial_dir.path)
    began_at = max(first_step(record), newest or 0)
    # Of a command only a checkpoint says that it goes on: what it reported it may do again.
    is_program = bool(spec.command) and not recognise(job.command, spec.command_dir).forked
    begins = how_it_begins(record, newest if spec.command else began_at, is_program)
    return RunningTrial(
        record, job, None, spec.objectives, spec.constraints, began_at, begins, trial_dir.unwritten_metrics
    )


def command_of(spec: SweepSpec, record: TrialRecord, trial_dir: TrialDir) -> tuple[str, ...]:
    """Return the command of a trial; empty if the sweep has a model."""
    if not spec.command:
        return ()
    params = {**record.params, **spec.space.constants}
    return fill(spec.command, params, spec.space.names, record.number, trial_dir.path.absolute())


def how_it_begins(record: TrialRecord, step: int | None, offered: bool = False) -> str:
    """Say from where an attempt goes on; nothing if it is the trial's own beginning.

    Args:
        record: The trial; ``attempts`` counts this one.
        step: Global step of the checkpoint with which it begins, or None.
        offered: Whether it is a program's to go on from it or not.
    """
    if record.attempts == 1 and FORKED_FROM in record.tags:
        return f"goes on from trial {record.tags[FORKED_FROM]} at step {step}"
    return beginning(record.attempts, step, offered)
