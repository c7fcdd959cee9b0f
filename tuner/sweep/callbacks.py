"""What a user's program is told while a sweep runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from tuner.paths import SweepDir
from tuner.recorders.runs import run_ids
from tuner.results import Trial
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.sweep.progress import Watcher

TrialEnd = Callable[[Trial], None]
"""Called in the driver with each trial that completed, was pruned or failed; it holds the sweep up."""


def settled_trials(
    call: TrialEnd, sweep_dir: SweepDir, spec: SweepSpec, watcher: Watcher, recorded: Callable[[int], TrialRecord]
) -> Callable[[TrialRecord], None]:
    """Return what the loop calls when a trial settles, after it was recorded.

    A callback that raises is reported, by a line and a warning, and takes nothing with it: the sweep
    goes on, and the next trial is handed to it again.

    Args:
        call: The user's function.
        sweep_dir: The sweep's folder.
        spec: What it runs.
        watcher: Shows what went wrong.
        recorded: Returns a trial as it was recorded, with when it began and ended.
    """

    def settled(record: TrialRecord) -> None:
        run_id = run_ids(sweep_dir).get(record.number)
        trial_dir = str(sweep_dir.trial(record.number).path)
        try:
            call(Trial(recorded(record.number), spec.objectives, run_id, trial_dir, spec.constraints))
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            line = f"on_trial_end failed for trial {record.number}, and the sweep goes on: {what}"
            watcher.say(line)
            warnings.warn(line, RuntimeWarning, stacklevel=2)

    return settled
