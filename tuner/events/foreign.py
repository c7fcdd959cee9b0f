"""Event files in a trial's folder that are not its own: somebody evaluated it while none of its processes ran.

``Estimator(model_fn, model_dir=trial_dir).evaluate(...)`` writes below the trial's folder. If it goes on
later, such files must not be taken for what it evaluates itself, so they are listed before it does.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

from tuner.files.atomic import write_whole
from tuner.files.paths import TrialDir

MARK = "tfevents"
# How the names of files end that a recorder writes when the trial has ended, and a simulation: two drivers of one have
# virtual clocks of their own.
_OURS = (".tuner.hparams", ".simulated")
_TIME = struct.Struct("<12xBd")  # behind the frame of the first record: the field that is an event's time
_TIME_FIELD = 0x09


def foreign_events(trial_dir: TrialDir) -> frozenset[str]:
    """Return the listed files, relative to the trial's folder; none if there is no list, or none that can be read."""
    try:
        found = json.loads(trial_dir.foreign_events_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def list_foreign_events(trial_dir: TrialDir, idle_since: float) -> None:
    """List the files that were begun since the trial's last process had ended, beside those that are listed.

    Args:
        trial_dir: Of a trial of which no process runs.
        idle_since: As of ``begun_since``; 0 if that is not known, and all files count.
    """
    begun = begun_since(trial_dir.path, idle_since) if idle_since else frozenset()
    if begun:
        listed = sorted(begun | foreign_events(trial_dir))
        write_whole(trial_dir.foreign_events_file, json.dumps(listed, indent=1))


def begun_since(trial_dir: Path, time: float) -> frozenset[str]:
    """Return the event files anywhere below a folder whose first event is of later than ``time``, relative to it.

    Args:
        trial_dir: The folder.
        time: Seconds since 1970, by the clock that events have.
    """
    found = set()
    for folder, _, names in os.walk(trial_dir):
        for name in names:
            file = Path(folder, name)
            if MARK in name and not name.endswith(_OURS) and _begun(file) > time:
                found.add(file.relative_to(trial_dir).as_posix())
    return frozenset(found)


def _begun(file: Path) -> float:
    """Return the time of a file's first event; 0 if it does not begin as TensorFlow's do."""
    try:
        with file.open("rb") as stream:
            field, time = _TIME.unpack(stream.read(_TIME.size))
    except (OSError, struct.error):
        return 0.0
    return float(time) if field == _TIME_FIELD else 0.0
