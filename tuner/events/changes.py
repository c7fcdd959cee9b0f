"""Word from the system that a trial evaluated, so that nobody has to look at its files every few milliseconds.

Linux says it (inotify, through the C library); elsewhere there is no word, and files are looked at now and then as
everywhere. What comes in are trials' folders, what goes out is when to look.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from tuner.events.follower import is_of_evaluations

_CREATE, _MODIFY, _MOVED_TO, _IS_DIR = 0x100, 0x2, 0x80, 0x40000000  # of <sys/inotify.h>
_HEAD = struct.Struct("iIII")  # watch, what happened, a cookie, the length of the name behind
_BUFFER = 65536


class Changes:
    """Watch the folders of evaluations of trials that run.

    Attributes:
        descriptor: Can be read when something has changed; -1 if the system gives no word.
    """

    def __init__(self) -> None:
        self.descriptor = -1
        self._folders: dict[int, Path] = {}
        self._trials: set[Path] = set()
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            self._library = ctypes.CDLL(None)
            self.descriptor = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def watch(self, trial_dir: Path) -> bool:
        """Watch a trial's folder, which is there; return whether the system will say when it evaluates."""
        if self.descriptor < 0 or not self._add(trial_dir, _CREATE):
            return False
        self._trials.add(trial_dir)
        for entry in os.scandir(trial_dir):
            if is_of_evaluations(entry.name) and entry.is_dir():
                self._add(Path(entry), _CREATE | _MODIFY | _MOVED_TO)
        return True

    def forget(self, trial_dir: Path) -> None:
        """Watch a trial's folders no more; allowed for one that is not watched."""
        self._trials.discard(trial_dir)
        for watch, folder in list(self._folders.items()):
            if trial_dir in (folder, folder.parent):
                del self._folders[watch]
                self._library.inotify_rm_watch(self.descriptor, watch)

    def take(self) -> bool:
        """Take what has been said; return whether it is of evaluations."""
        try:
            said = os.read(self.descriptor, _BUFFER)
        except OSError:
            return False
        at, found = 0, False
        while at < len(said):
            watch, what, _, length = _HEAD.unpack_from(said, at)
            at += _HEAD.size + length
            name = os.fsdecode(said[at - length : at].rstrip(b"\0"))
            folder = self._folders.get(watch)
            if folder is None:
                found = found or watch < 0  # more has happened than the system keeps
            elif folder not in self._trials:
                found = True
            elif what & _IS_DIR and is_of_evaluations(name):
                self._add(folder / name, _CREATE | _MODIFY | _MOVED_TO)
                found = True  # something may have been written before
        return found

    def close(self) -> None:
        """Watch nothing more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self._folders.clear()
        self._trials.clear()

    def _add(self, folder: Path, what: int) -> bool:
        watch = self._library.inotify_add_watch(self.descriptor, os.fsencode(folder), what)
        if watch >= 0:
            self._folders[watch] = folder
        return bool(watch >= 0)
