"""What a trial's folder holds when an attempt of its command begins, kept from a command that clears or moves it.

Trainers often do, so as to start fresh: ``shutil.rmtree(job_dir)``. Then a promoted trial would train from nothing,
a copy of the best trial too, and steps that were evaluated would get a second value. So checkpoints, event
files and what is ours (job, log, lock) have a second name in a hidden folder beside the trial's while the
command runs, and get back their first one when it is gone: before an Estimator trains, and at the command's end.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tuner.files.checkpoints import newest_step
from tuner.files.paths import TrialDir

_STATE = "checkpoint"
_OF_CHECKPOINTS = re.compile(r"checkpoint|model\.ckpt-.*|input\.ckpt.*")
_OF_EVENTS = re.compile(r".*tfevents.*|output\.metrics")


def link(trial_dir: TrialDir) -> None:
    """Give what is there a second name; nothing is done if links are not to be had."""
    restore(trial_dir)  # what an attempt cleared that was killed before it had it back
    beside = _beside(trial_dir)
    with contextlib.suppress(OSError):
        shutil.rmtree(beside, ignore_errors=True)
        for file in _kept(trial_dir, trial_dir.path):
            (beside / file).parent.mkdir(parents=True, exist_ok=True)
            os.link(trial_dir.path / file, beside / file)


def restore(trial_dir: TrialDir) -> tuple[Path, ...]:
    """Put back what is gone, the trial's folder included, and take away where else that was moved to below it.

    Checkpoints come back to a folder that has none any more: one that has goes on by itself.

    Returns:
        What was put back, relative to the trial's folder.
    """
    beside, path = _beside(trial_dir), trial_dir.path
    kept = list(_kept(trial_dir, beside))
    gone = [file for file in kept if not (path / file).exists()]
    gone = [file for file in gone if not _is_checkpoint(file) or not (path / file.parent / _STATE).exists()]
    if not gone:
        return ()
    back = []
    with contextlib.suppress(OSError):
        _remove_moved(path, beside, kept)
        for file in sorted(gone, key=lambda file: file.name == _STATE):  # which names the others
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            os.link(beside / file, path / file)
            back.append(file)
    return tuple(back)


def remove(trial_dir: TrialDir) -> None:
    """Put back what is gone, and give up the second names."""
    restore(trial_dir)
    shutil.rmtree(_beside(trial_dir), ignore_errors=True)


def given(trial_dir: Path) -> dict[Path, int]:
    """Return the folders that hold checkpoints of a model, relative to the trial's, with the step of the newest."""
    folders = [state.parent for state in trial_dir.rglob(_STATE)]
    return {folder.relative_to(trial_dir): step for folder in folders if (step := newest_step(folder))}


class Offered:
    """The checkpoints that a program is given to go on from, and whether it clears them, which it does unseen.

    Their folders are kept open, so that one that is made anew in the place of one that was removed is known for
    another, even if the checkpoint that was given is the first that a training from nothing writes.

    Args:
        trial_dir: The trial's folder.
    """

    def __init__(self, trial_dir: Path) -> None:
        self._dir = trial_dir
        self.steps = given(trial_dir)
        self._open = {folder: os.open(trial_dir / folder, os.O_RDONLY | os.O_DIRECTORY) for folder in self.steps}

    def is_cleared(self) -> bool:
        """Whether a folder is another one, or its checkpoint is gone and nothing newer in its place."""
        for folder, step in self.steps.items():
            path = self._dir / folder
            there = (path / f"model.ckpt-{step}.index").exists()
            if not self._is_same(folder) or (not there and (newest_step(path) or 0) < step):
                return True
        return False

    def close(self) -> None:
        """Give up the folders."""
        for handle in self._open.values():
            os.close(handle)
        self._open = {}
        self.steps = {}

    def _is_same(self, folder: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(self._open[folder]), (self._dir / folder).stat())
        except FileNotFoundError:
            return False


def _kept(trial_dir: TrialDir, folder: Path) -> Iterator[Path]:
    """Yield what is worth keeping below a folder, relative to it."""
    files = (trial_dir.log_file, trial_dir.job_file, trial_dir.private_file, trial_dir.lock_file)
    ours = {file.name for file in files}
    for file in folder.rglob("*"):
        below = file.relative_to(folder)
        known = len(below.parts) == 1 and file.name in ours
        if (known or _is_checkpoint(below) or _OF_EVENTS.fullmatch(file.name)) and file.is_file():
            yield below


def _is_checkpoint(file: Path) -> bool:
    return _OF_CHECKPOINTS.fullmatch(file.name) is not None


def _remove_moved(trial_dir: Path, beside: Path, kept: list[Path]) -> None:
    """Delete third names of what is kept: a command moved its folder aside, and nothing is to be read twice."""
    same = {(beside / file).stat().st_ino: file for file in kept}
    for file in trial_dir.rglob("*"):
        first = same.get(file.lstat().st_ino)
        if first is not None and first.name == file.name and first != file.relative_to(trial_dir):
            file.unlink()


def _beside(trial_dir: TrialDir) -> Path:
    return trial_dir.path.with_name(f".{trial_dir.path.name}")
