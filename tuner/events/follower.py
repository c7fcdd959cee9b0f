"""The evaluations of a trial, from the event files in its folder, as they come.

Event files of evaluations are in ``eval`` or ``eval_NAME`` below a trial's folder; those in the
folder itself hold what training writes. Files of one folder are read in the order of their names,
which begin with the second in which they were made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tuner.events.file import Damage, EventFile
from tuner.values import Evaluation

_MARK = "tfevents"
_SECONDS = re.compile(r"tfevents\.(\d+)")


class Follower:
    """Return evaluations as they are written.

    Args:
        trial_dir: The trial's folder; it need not be there yet.
        anywhere: Look into every folder below the trial's, not only the evaluations' (for scripts).
        training: Look into the trial's own folder too.
    """

    def __init__(self, trial_dir: Path, anywhere: bool = False, training: bool = False) -> None:
        self._dir = trial_dir
        self._anywhere = anywhere
        self._training = training or anywhere
        self._files: dict[Path, EventFile] = {}

    def poll(self) -> list[Evaluation]:
        """Return the evaluations that have become whole since the last call, in file order by folder.

        Costs what is new: of a file that did not grow only the size is looked at.
        """
        found: list[Evaluation] = []
        for folder, path in self._event_files():
            file = self._files.get(path)
            if file is None:
                file = self._files[path] = EventFile(path)
            for event in file.read():
                scalars: dict[str, float] = {}
                for tag, value in event.scalars:
                    scalars.setdefault(tag, value)
                found.append(Evaluation(event.step, event.time, folder, scalars))
        return found

    @property
    def damage(self) -> list[Damage]:
        """Records that could not be read so far."""
        return [damage for file in self._files.values() for damage in file.damage]

    @property
    def bytes_read(self) -> int:
        """Bytes read from event files so far."""
        return sum(file.bytes_read for file in self._files.values())

    def _event_files(self) -> Iterator[tuple[str, Path]]:
        for folder, path in sorted(self._folders()):
            try:
                names = [entry.name for entry in os.scandir(path) if _MARK in entry.name and entry.is_file()]
            except OSError:
                continue
            for name in sorted(names, key=_order):
                yield folder, path / name

    def _folders(self) -> Iterator[tuple[str, Path]]:
        if self._training:
            yield "", self._dir
        if self._anywhere:
            for path, names, _ in os.walk(self._dir):
                for name in names:
                    below = Path(path) / name
                    yield below.relative_to(self._dir).as_posix(), below
            return
        try:
            entries = list(os.scandir(self._dir))
        except OSError:
            return
        for entry in entries:
            if (entry.name == "eval" or entry.name.startswith("eval_")) and entry.is_dir():
                yield entry.name, self._dir / entry.name


def read_all(trial_dir: Path, anywhere: bool = False, training: bool = False) -> list[Evaluation]:
    """Return all evaluations that a trial's event files hold now, in file order by folder."""
    return Follower(trial_dir, anywhere, training).poll()


def _order(name: str) -> tuple[int, str]:
    match = _SECONDS.search(name)
    return (int(match[1]) if match else 0, name)
