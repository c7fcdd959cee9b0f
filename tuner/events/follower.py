"""The evaluations of a trial, from the event files in its folder, as they come.

Comes in: a trial's folder, again and again. Goes out: one ``Evaluation`` an event that has scalars. An
Estimator writes all metrics of an evaluation in one event, a TF2 writer one event a tag: what belongs
to one step is put together by those who know what they wait for, since whether more is to come
cannot be seen in the file.

Order: folders by name; the files of one folder by the second in their name, then by name; the events
of a file as they stand. What was returned stays returned: if two writers are at work in one folder
at the same time, the order is that in which their events were seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from tuner.domain.trial import Evaluation
from tuner.events.decoder import Decoder
from tuner.events.event_file import Damage, EventFile
from tuner.events.foreign import MARK, foreign_events
from tuner.files.paths import TrialDir
from tuner.text import legible

_SECONDS = re.compile(r"tfevents\.([0-9]+)")


class Follower:
    """Return evaluations as they are written.

    Event files of evaluations are in ``eval`` or ``eval_NAME`` below a trial's folder; those in the
    folder itself hold what training writes (``loss``, ``global_step/sec``).

    Args:
        trial_dir: The trial's folder; it need not be there yet.
        anywhere: Look into every folder below the trial's and into itself, not only the evaluations'
            (for scripts); links to folders are not followed.
        training: Look into the trial's own folder too.
        evaluations: Look into the folders of evaluations.
        without: Files to leave out, relative to the trial's folder, beside those that are listed there as not its own.
    """

    def __init__(
        self,
        trial_dir: Path,
        anywhere: bool = False,
        training: bool = False,
        evaluations: bool = True,
        without: Collection[str] = (),
    ) -> None:
        self._dir = trial_dir
        self._foreign = foreign_events(TrialDir(trial_dir)) | frozenset(without)
        self._anywhere = anywhere
        self._evaluations = evaluations
        self._training = training or anywhere
        self._files: dict[tuple[str, str], EventFile] = {}
        self._decoder = Decoder()
        self._inodes: dict[tuple[str, str], int | None] = {}
        self._own = ""  # folder of the trial's own evaluations, as its process says

    def poll(self) -> list[Evaluation]:
        """Return the evaluations that have become whole since the last call, in file order by folder.

        Costs what is new: of a file that did not change only the size is looked at.
        """
        found: list[Evaluation] = []
        for folder, name in self._event_files():
            file = self._files.get((folder, name))
            if file is None:
                if self._anywhere and self._is_moved(folder, name):
                    continue
                file = EventFile(self._dir / folder / name, legible(folder), self._decoder)
                self._files[folder, name] = file
            found += file.read()
        return [self._marked(evaluation) for evaluation in found]

    def _is_moved(self, folder: str, name: str) -> bool:
        """Whether a file is one that is known from another folder: a command moved its folder aside."""
        known = [inode for (other, same), inode in self._inodes.items() if same == name and other != folder]
        inode = self._inodes[folder, name] = _inode(self._dir / folder / name)
        return inode is not None and inode in known

    def _marked(self, evaluation: Evaluation) -> Evaluation:
        """Mark an evaluation that is not the trial's own; all are if its process did not say."""
        if self._anywhere or not evaluation.folder:
            return evaluation
        self._own = self._own or TrialDir(self._dir).own_evaluations()
        return replace(evaluation, is_secondary=True) if self._own not in ("", evaluation.folder) else evaluation

    @property
    def folders(self) -> set[str]:
        """The folders in which event files were found so far, relative to the trial's."""
        return {folder for folder, _ in self._files}

    @property
    def damage(self) -> list[Damage]:
        """Records that could not be read so far, each once; what stands behind one was not read."""
        return [damage for file in self._files.values() for damage in file.damage]

    @property
    def cut_off(self) -> list[Damage]:
        """The files that end within a record for now; damage if nobody writes them any more."""
        files = (file for file in self._files.values() if file.cut_off)
        return [Damage(file.path, file.offset, "the file ends within this record") for file in files]

    @property
    def bytes_read(self) -> int:
        """Bytes read from event files so far."""
        return sum(file.bytes_read for file in self._files.values())

    def _event_files(self) -> Iterator[tuple[str, str]]:
        for folder, names in sorted(self._folders()):
            for name in sorted(names, key=_order):
                if not self._foreign or (f"{folder}/{name}" if folder else name) not in self._foreign:
                    yield folder, name

    def _folders(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the folders that are looked into, relative to the trial's, with their event files."""
        names, below = self._look_into("")
        if self._training:
            yield "", names
        if not self._evaluations:
            return
        if not self._anywhere:
            below = list(filter(is_of_evaluations, below))
        while below:
            folder = below.pop()
            names, deeper = self._look_into(folder)
            yield folder, names
            if self._anywhere:
                below += [f"{folder}/{name}" for name in deeper]

    def _look_into(self, folder: str) -> tuple[list[str], list[str]]:
        """Return the names of event files and of folders in a folder; none if it cannot be read."""
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(self._dir / folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=not self._anywhere):
                        folders.append(entry.name)
                    elif MARK in entry.name and entry.is_file():
                        files.append(entry.name)
        except OSError:
            return [], []
        return files, folders


def is_of_evaluations(folder: str) -> bool:
    """Whether a folder of a trial is one in which an Estimator writes evaluations."""
    return folder == "eval" or folder.startswith("eval_")


def read_all(
    trial_dir: Path, anywhere: bool = False, training: bool = False, without: Collection[str] = ()
) -> list[Evaluation]:
    """Return all evaluations that a trial's event files hold now, in file order by folder.

    For what could not be read use a ``Follower`` and its ``damage`` and ``cut_off``.
    """
    return Follower(trial_dir, anywhere, training, without=without).poll()


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _order(name: str) -> tuple[int, str]:
    match = _SECONDS.search(name)
    return (int(match[1]) if match else 0, name)
