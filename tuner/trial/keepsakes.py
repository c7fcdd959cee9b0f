"""Our files in a trial's folder, kept from a command that deletes its output folder when it begins.

Trainers often do, so as to start fresh. The log and the job have a second name in a hidden folder beside
the trial's while the command runs, and get back their first one when it is gone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from tuner.paths import TrialDir


def keep(trial_dir: TrialDir) -> None:
    """Give the trial's log and job a second name; nothing is done where links are not to be had."""
    beside = _beside(trial_dir)
    with contextlib.suppress(OSError):
        beside.mkdir(exist_ok=True)
        for file in (trial_dir.log_file, trial_dir.job_file):
            (beside / file.name).unlink(missing_ok=True)
            os.link(file, beside / file.name)


def restore(trial_dir: TrialDir) -> None:
    """Put back what is gone, the trial's folder included."""
    beside = _beside(trial_dir)
    if trial_dir.log_file.exists() or not beside.is_dir():
        return
    with contextlib.suppress(OSError):
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        for kept in beside.iterdir():
            if not (trial_dir.path / kept.name).exists():
                os.link(kept, trial_dir.path / kept.name)


def forget(trial_dir: TrialDir) -> None:
    """Put back what is gone, and give up the second names."""
    restore(trial_dir)
    shutil.rmtree(_beside(trial_dir), ignore_errors=True)


def _beside(trial_dir: TrialDir) -> Path:
    return trial_dir.path.with_name(f".{trial_dir.path.name}")
