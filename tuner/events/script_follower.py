"""The evaluations of a command: event files anywhere below the trial's folder, and hypertune's reports.

What training writes of an objective's tag (an Estimator writes ``loss`` in its model_dir and in
``eval``) must not be mixed with evaluations. A folder is training's if it is called ``train``, has a
model's checkpoints or graph, or has another folder with event files below it. Of such a folder the
objectives' tags are held back, and count at the end if no other folder has them; later trials are
told of that and wait for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tuner.domain.trial import Evaluation
from tuner.events.event_file import Damage
from tuner.events.follower import Follower
from tuner.events.hypertune import FOLDER as HYPERTUNE
from tuner.events.hypertune import HypertuneFile

ROOT = "."
"""What the trial's own folder is called, if it counts as an evaluation's."""

_OF_TRAINING = frozenset({"train", "training"})
_OF_A_MODEL = ("checkpoint", "graph.pbtxt")


class ScriptFollower:
    """Return what counts of the evaluations of a command as they are written.

    Args:
        trial_dir: The trial's folder; it need not be there yet.
        metrics: Tags of the objectives.
        known: Tag to the training's folder in which an earlier trial had it, if no evaluation did.
        wanted: Tag to the folder whose evaluations count, if that is said; those of other folders stand aside.
    """

    def __init__(
        self,
        trial_dir: Path,
        metrics: Collection[str],
        known: Mapping[str, str] | None = None,
        wanted: Mapping[str, str] | None = None,
    ) -> None:
        self._dir = trial_dir
        self._metrics = frozenset(metrics)
        self._wanted = dict(wanted or {})
        self._known = {**(known or {}), **self._wanted}
        self._follower = Follower(trial_dir, anywhere=True)
        self._hypertune = HypertuneFile(trial_dir)
        self._training: dict[str, bool] = {}  # by folder, as it was seen first
        self._held: list[Evaluation] = []
        self._found: set[str] = set()  # objectives that an evaluation had
        self._evaluated: set[str] = set()  # those that a folder of no training had
        self._trained: dict[str, int] = {}  # objectives of a training that count: last step
        self._seen: set[str] = set()
        self.learnt: dict[str, str] = {}

    @property
    def seen(self) -> list[str]:
        """Tags of all scalars that were written anywhere."""
        return sorted(self._seen)

    @property
    def damage(self) -> list[Damage]:
        """Records that could not be read so far."""
        return self._follower.damage

    def poll(self) -> list[Evaluation]:
        """Return what has come since the last call; what is held back comes with ``finish``."""
        self._hypertune.poll()
        found = [replace(e, folder=e.folder or ROOT) for e in self._follower.poll()]
        folders = self._follower.folders if found else set()
        counted = (self._counted(evaluation, folders) for evaluation in found)
        return [self._marked(evaluation) for evaluation in counted if evaluation.scalars]

    def _marked(self, evaluation: Evaluation) -> Evaluation:
        is_secondary = bool(self._wanted) and evaluation.folder not in self._wanted.values()
        return replace(evaluation, is_secondary=True) if is_secondary else evaluation

    def finish(self) -> list[Evaluation]:
        """Return what was held back of objectives that no evaluation had; call it after the last ``poll``."""
        missing = self._metrics - self._found
        for evaluation in self._held:
            for tag in evaluation.scalars.keys() & missing:
                self.learnt.setdefault(tag, evaluation.folder)
        released = [
            replace(e, scalars={tag: v for tag, v in e.scalars.items() if self.learnt.get(tag) == e.folder})
            for e in self._held
        ]
        for evaluation in released:
            self._note_training(evaluation)
        return [self._marked(evaluation) for evaluation in released if evaluation.scalars]

    @property
    def note(self) -> str:
        """Say by which summaries of its training the trial is judged, if by any; ask after ``finish``."""
        return "; ".join(
            f"no evaluation of {metric!r} was found: the trial is judged by the training's summary of step {step}"
            for metric, step in sorted(self._trained.items())
            if metric not in self._evaluated
        )

    def _note_training(self, evaluation: Evaluation) -> None:
        for metric in self._metrics.intersection(evaluation.scalars) - self._wanted.keys():
            self._trained[metric] = max(evaluation.step, self._trained.get(metric, 0))

    def _counted(self, evaluation: Evaluation, folders: set[str]) -> Evaluation:
        """Return what of an evaluation counts now, and hold back what may count later."""
        folder, scalars = evaluation.folder, evaluation.scalars
        self._seen.update(scalars)
        if folder not in self._training:
            self._training[folder] = self._is_trainings(folder, folders)
        if self._training[folder]:
            now = {tag: value for tag, value in scalars.items() if self._known.get(tag) == folder}
            later = {tag: value for tag, value in scalars.items() if tag in self._metrics and tag not in now}
            if later:
                self._held.append(replace(evaluation, scalars=later))
            scalars = now
            self._note_training(replace(evaluation, scalars=now))
        else:
            self._evaluated |= self._metrics & scalars.keys()
        self._found |= self._metrics & scalars.keys()
        return replace(evaluation, scalars=scalars)

    def _is_trainings(self, folder: str, folders: set[str]) -> bool:
        if PurePosixPath(folder).name in _OF_TRAINING:
            return True
        if any((self._dir / folder / name).exists() for name in _OF_A_MODEL):
            return True
        below = "" if folder == ROOT else f"{folder}/"
        others = folders - {"", folder, HYPERTUNE}
        return any(other.startswith(below) for other in others)


def for_every_trial(folder: str, trial: int) -> str:
    """Return a folder that is named by its trial (``3/eval``, counted from 1) as one that any trial may have."""
    return "/".join("{trial}" if part == str(trial + 1) else part for part in folder.split("/"))


def for_trial(folder: str, trial: int) -> str:
    """Return what ``for_every_trial`` made, for one trial."""
    return folder.replace("{trial}", str(trial + 1))
