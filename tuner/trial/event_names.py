"""Event files are named by the second in which they are made; this keeps two lives from sharing one.

TensorFlow names an event file ``events.out.tfevents.SECONDS.HOST`` and truncates a file of that name
if it is there: a life that begins in the second in which the one before it made its file would
delete what that one said.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

_SECONDS = re.compile(r"tfevents\.(\d+)\.")


def wait_for_a_new_name(
    trial_dir: Path, now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when a new event file would get a name that no file in the folder has."""
    found = (_SECONDS.search(file.name) for file in trial_dir.glob("**/*tfevents*"))
    newest = max((int(match[1]) for match in found if match), default=0)
    while newest and int(now()) <= newest < now() + 5:
        sleep(newest + 1 - now())
