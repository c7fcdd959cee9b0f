"""How far each of a trial's checkpoints is in its input: a file beside the saved positions."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

PREFIX = "input.ckpt"
"""Of the positions: TensorFlow's files of a checkpoint, one for each global step at which it was saved."""

_INDEX = re.compile(r"input\.ckpt-(\d+)\.index")
_KEPT = 3  # the newest checkpoint, the one before it should that be damaged, and the one being saved
_KNOWN = 20  # checkpoints, so that a copy of the folder that took its time knows of the one that it has


@dataclass(frozen=True)
class InputProgress:
    """How far an input is.

    Attributes:
        saved: Global step at which its position was saved last, or None: it was read from its start.
        batches: Drawn since.
    """

    saved: int | None
    batches: int

    def next(self) -> InputProgress:
        """Return it one batch later."""
        return InputProgress(self.saved, self.batches + 1)


class InputProgressFile:
    """Know how far the input was at each of a trial's newest checkpoints.

    Args:
        trial_dir: The trial's folder.
    """

    def __init__(self, trial_dir: Path) -> None:
        self._dir = trial_dir
        self._path = trial_dir / f"{PREFIX}.drawn.json"

    def at(self, step: int) -> InputProgress | None:
        """Return how far it was at the checkpoint of a global step, or None if that is not known."""
        saved = self._saved()
        if step in saved:
            return InputProgress(step, 0)
        found = self._read().get(step)
        return found if found is not None and found.saved in {None, *saved} else None

    def write(self, step: int, drawn: InputProgress) -> None:
        """Write down how far it is at a global step; forget positions that nobody will go on from."""
        known = {**{at: found for at, found in self._read().items() if at < step}, step: drawn}
        known = dict(sorted(known.items())[-_KNOWN:])
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        lines = {at: [found.saved, found.batches] for at, found in known.items()}
        beside.write_text(json.dumps(lines), encoding="utf-8")
        beside.replace(self._path)
        needed = {found.saved for found in list(known.values())[-_KEPT:]}
        for saved in self._saved() - needed:
            for file in self._dir.glob(f"{PREFIX}-{saved}.*"):
                file.unlink(missing_ok=True)

    def _read(self) -> dict[int, InputProgress]:
        try:
            lines = json.loads(self._path.read_text(encoding="utf-8"))
            return {int(step): InputProgress(saved, int(batches)) for step, (saved, batches) in lines.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _saved(self) -> set[int]:
        found = (_INDEX.fullmatch(file.name) for file in self._dir.glob(f"{PREFIX}-*.index"))
        return {int(match[1]) for match in found if match}
