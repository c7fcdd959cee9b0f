"""From where a life of a trial goes on, in words: for its log and for who watches the sweep."""

from __future__ import annotations

import sys

from tuner.jobs import Job


def beginning(life: int, step: int | None) -> str:
    """Return how a life begins; nothing where that is the trial's own beginning.

    Args:
        life: Counts the processes that the trial has had, from 1.
        step: Global step of the checkpoint with which it begins, or None.
    """
    if step:
        return f"resumed at step {step}" if life > 1 else f"begins with a checkpoint of step {step}"
    return "started again, without a checkpoint" if life > 1 else ""


def say_beginning(job: Job, step: int | None) -> None:
    """Say in the trial's log how its life begins, where that is worth a line."""
    if line := beginning(job.life, step):
        print(f"tuner: trial {job.trial}: {line}", file=sys.stderr, flush=True)  # noqa: T201
