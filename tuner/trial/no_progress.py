"""A trial that makes no progress, as one that hangs in a distribution strategy, ends with that reason."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.domain.job import Job, JobResult, JobStatus
from tuner.estimator.progress_watch import sessions_watched
from tuner.files.checkpoints import newest_step_below
from tuner.files.paths import TrialDir
from tuner.model.error_text import own_place


@contextmanager
def end_without_progress(
    job: Job, trial_dir: TrialDir, is_at_work: Callable[[], bool] = lambda: True
) -> Iterator[None]:
    """End this process, which is the trial's own, if it makes no progress meanwhile for as long as its job says.

    Args:
        job: Says how long; nothing is done if it does not.
        trial_dir: Takes the result; its log the stack.
        is_at_work: Whether there is to be progress now.
    """
    limit_s = job.no_progress_timeout_s
    if limit_s is None:
        yield
        return

    def give_up(stacks: list[traceback.StackSummary]) -> None:
        print(f"tuner: no step for {limit_s:g} s; this is where it stands:", file=sys.stderr)  # noqa: T201
        for stack in stacks:
            print("".join(stack.format()), file=sys.stderr, flush=True)  # noqa: T201
        places = ((frame.filename, frame.lineno or 0) for stack in stacks for frame in reversed(stack))
        own = own_place(places)
        where = f", it stands at line {own[1]} of {Path(own[0]).name}" if own else ""
        reason = f"made no step for {limit_s:g} s{where}; its log has the stack"
        result = JobResult(JobStatus.FAILED, job.attempt, newest_step_below(trial_dir.path), reason)
        result.write(trial_dir.result_file)
        os._exit(1)

    with sessions_watched(limit_s, give_up, is_at_work):
        yield
