"""What killed processes leave beside files: unfinished writes, folders in which something was made."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tuner.files.paths import SweepDir

STAGE = ".files-"
"""How the folders of a sweep begin in which files for its runs are made."""

_OF_A_WRITER = re.compile(r"\..*\.[0-9]")
_OF_A_PROCESS = re.compile(r"\..+[.-]([0-9]+)")


@contextmanager
def tidy(sweep_dir: SweepDir) -> Iterator[None]:
    """Remove what others have left, and in the end the folder itself if the sweep was refused before it was made.

    Enter it while holding the driver's lock.
    """
    remove_unfinished(sweep_dir)
    try:
        yield
    finally:
        made_first = {sweep_dir.driver_file.name, sweep_dir.trials_dir.name}
        if {entry.name for entry in _entries(sweep_dir.path)} <= made_first:
            with suppress(OSError):
                sweep_dir.trials_dir.rmdir()  # only if it is empty
                sweep_dir.driver_file.unlink()
                sweep_dir.path.rmdir()


def remove_unfinished(sweep_dir: SweepDir) -> None:
    """Remove what drivers and trials that died have left; call it while holding the driver's lock."""
    for folder in (sweep_dir.path, *_entries(sweep_dir.trials_dir)):
        for entry in _entries(folder):  # of thousands of trials: patterns take five times as long
            if _OF_A_WRITER.match(entry.name):
                _remove(Path(entry))
    for left in sweep_dir.path.parent.glob(".deleted-*"):
        _remove(left)


def remove_stages(sweep_dir: SweepDir) -> None:
    """Remove what recorders that died have left; call it while holding the sender's lock."""
    for left in sweep_dir.path.glob(f"{STAGE}*"):
        shutil.rmtree(left, ignore_errors=True)


def _entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing if it is none."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove(left: Path) -> None:
    """Remove what a process has left that its name ends with, unless that process lives."""
    found = _OF_A_PROCESS.fullmatch(left.name)
    if found is None or _lives(int(found[1])):
        return
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
