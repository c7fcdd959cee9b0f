"""The arguments of this process, without secrets: every user of a machine can read those of every process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

from tuner.hiding import hidden_words

_BEGIN_OF_ARGUMENTS = 45  # among the fields of /proc/self/stat that follow the program's name


def hide_arguments() -> None:
    """Put ``***`` in the place of secrets in what ``ps`` shows of this process, as database clients do (Linux).

    ``sys.argv`` is as it was.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        there = Path("/proc/self/cmdline").read_bytes()
        words = os.fsdecode(there).split("\0")[:-1]
        shown = hidden_words(words)
        begin = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_BEGIN_OF_ARGUMENTS])
        if shown != tuple(words) and begin:
            text = os.fsencode("\0".join(shown))[: len(there) - 1]
            ctypes.memmove(begin, text.ljust(len(there), b"\0"), len(there))
