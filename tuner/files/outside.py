"""The folders outside of a trial's own in which its command trains: no two trials of a sweep train in one.

The second would go on from the first one's checkpoint. Each such folder has a file in the sweep's folder that names
the trial which came first, out of reach of a command that clears what it is given.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tuner.errors import TrialError
from tuner.files.paths import SweepDir, TrialDir


def claim(trial_dir: TrialDir, model_dir: str) -> None:
    """Take a folder for a trial.

    Args:
        trial_dir: The trial's own folder.
        model_dir: Where its Estimator trains, a path or a URL.

    Raises:
        TrialError: Another trial has trained there.
    """
    place = model_dir if "://" in model_dir else os.path.realpath(model_dir)
    folder = SweepDir(trial_dir.path.parent.parent).outside_dir
    folder.mkdir(exist_ok=True)
    file = folder / f"{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"
    mine = folder / f".{trial_dir.number}.{os.getpid()}"
    mine.write_text(json.dumps({"trial": trial_dir.number, "folder": place}), encoding="utf-8")
    with contextlib.suppress(FileExistsError):  # made whole or not at all: the first one's stands
        os.link(mine, file)
    mine.unlink()
    first = json.loads(file.read_text(encoding="utf-8"))["trial"]
    if first != trial_dir.number:
        raise TrialError(
            f"it was to train in {model_dir}, where trial {first} has trained, and would go on from that one's "
            "checkpoint: give each trial a folder of its own, as in --job-dir {trial_dir}"
        )


def trained_outside(sweep_dir: SweepDir) -> Iterator[tuple[int, str]]:
    """Yield the trials that trained outside of their folders, each with where, as far as that is still there."""
    for file in sorted(sweep_dir.outside_dir.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            said = json.loads(file.read_text(encoding="utf-8"))
            if "://" in said["folder"] or Path(said["folder"]).exists():
                yield said["trial"], said["folder"]
