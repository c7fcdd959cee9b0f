"""From where the Estimators of a script go on: the trial's checkpoint, never nothing in its place, never another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuner.domain.job import Job, say_beginning
from tuner.domain.tags import TRAINED_OUTSIDE
from tuner.errors import TrialError
from tuner.files import backup, outside
from tuner.files.checkpoints import newest_step, without_damage
from tuner.files.paths import TrialDir


class ScriptBeginning:
    """Look at each model_dir before it is used; made when the attempt begins, before the script can clear anything.

    Args:
        job: The attempt.
        trial_dir: The trial's folder.
        tags: Takes where else it trains.
        note: Takes what is worth knowing.
    """

    def __init__(self, job: Job, trial_dir: TrialDir, tags: dict[str, str], note: Callable[[str], None]) -> None:
        self._job = job
        self._dir = trial_dir
        self._tags = tags
        self._note = note
        self._given = {folder: step for folder, step in backup.given(trial_dir.path).items() if step}
        self._said = False
        self._steps: dict[str, int] = {}  # at which this attempt found what it was to train

    def remark(self) -> str:
        """Say that nothing was trained, if so; empty if there are no Estimators, or former attempts have trained."""
        if self._given or not self._said:
            return ""
        if not self._steps:
            return "no step was trained: neither train nor train_and_evaluate was called"
        if any((newest_step(Path(folder)) or 0) > step for folder, step in self._steps.items()):
            return ""
        folder, step = max(self._steps.items(), key=lambda item: item[1])
        return f"no step was trained: {folder} had a checkpoint of step {step} when the command began"

    def of(self, model_dir: str, trains: bool = True) -> bool:
        """Have in a model_dir what the attempt was given; say whether there was a checkpoint.

        Args:
            model_dir: Of an Estimator, a path or a URL.
            trains: Whether it is to train, or only to be evaluated.

        Raises:
            TrialError: It would train from nothing, or go on from another trial's checkpoint.
        """
        back = backup.restore(self._dir)
        folder, below = Path(model_dir), _below(self._dir.path, model_dir)
        given = self._given.get(below, 0) if below is not None else 0
        if below is None and trains:
            self._tags[TRAINED_OUTSIDE] = model_dir
            outside.claim(self._dir, model_dir)
        if not self._said and below is not None:
            self._check(folder)
        if given and any(file.parent == below and file.name == "checkpoint" for file in back):
            self._note(
                f"the command clears its folder when it begins: its checkpoint of step {given} and its event files "
                "were put back, and training goes on from there; one that keeps its folder needs no such help"
            )
        step = without_damage(folder) if newest_step(folder) is not None else None
        if trains:
            self._steps.setdefault(model_dir, step or 0)
        if not self._said:
            self._said = True
            say_beginning(self._job, step)
        return given > 0

    def _check(self, model_dir: Path) -> None:
        """Refuse to train from nothing if there was to be a checkpoint."""
        if not self._given or newest_step(model_dir) is not None:
            return
        folder, step = max(self._given.items(), key=lambda item: item[1])
        raise TrialError(
            f"it was to go on from the checkpoint of step {step} in {self._dir.path / folder}, and trains in "
            f"{model_dir}, which has no checkpoint: give the command a folder that is the same each time, "
            "as {trial_dir}/model"
        )


def _below(folder: Path, path: str) -> Path | None:
    """Return a path relative to a folder; None if it is not below it."""
    if "://" in path:
        return None
    inner, outer = Path(path).resolve(), folder.resolve()
    return inner.relative_to(outer) if inner.is_relative_to(outer) else None
