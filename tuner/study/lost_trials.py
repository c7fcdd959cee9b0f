"""A study that has lost trials which its sweep has recorded: emptied, taken away, cut, or put back from an old copy.

It would be taken for a new one, and its trials be trained again under the numbers that they had.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tuner.domain.tags import COMMAND
from tuner.errors import StoreError
from tuner.files.paths import SweepDir
from tuner.hiding import hidden
from tuner.records.trials import first_opening

COPY = "put the file back from a copy"
_MOST = 8  # numbers of trials that are shown


def lost_trials(sweep_dir: SweepDir, numbers: Sequence[int], storage_url: str = "") -> StoreError:
    """Return the error that a study has lost trials of these numbers."""
    place = f"the study of {sweep_dir.name!r} in {hidden(storage_url)}" if storage_url else str(sweep_dir.journal_file)
    gone = not storage_url and not sweep_dir.journal_file.exists()
    shown = ", ".join(map(str, numbers[:_MOST])) + (f" and {len(numbers) - _MOST} more" if numbers[_MOST:] else "")
    what = f"{'trials' if len(numbers) > 1 else 'trial'} {shown}"
    return StoreError(
        f"{place} {'is not there' if gone else 'has lost trials'}: found nothing of {what}, expected what "
        f"{sweep_dir.records_file.name} has records of",
        remedy(sweep_dir),
    )


def remedy(sweep_dir: SweepDir) -> str:
    """Return what to do about a study that cannot be used: what is typed for it, too."""
    if not sweep_dir.records_file.exists():
        return COPY
    return (
        f"{COPY}; without one the sweep cannot go on, but another one learns from what its trials came to: "
        f"{_anew(sweep_dir)}"
    )


def _anew(sweep_dir: SweepDir) -> str:
    """Return the command that makes the sweep anew under a name that is free, learning from its records."""
    opening = first_opening(sweep_dir.records_file)
    given = shlex.split(opening.facts.get(COMMAND, "")) if opening is not None else []
    words = given if given[:2] == ["tuner", "run"] else ["tuner", "run", "SPACE.yaml"]
    end = words.index("--") if "--" in words else len(words)
    number = 2
    while sweep_dir.path.with_name(f"{sweep_dir.name}-{number}").exists():
        number += 1
    more = ["--name", f"{sweep_dir.name}-{number}", "--from", str(sweep_dir.records_file)]
    return shlex.join([*_unnamed(words[:end]), *more, *words[end:]])


def _unnamed(words: list[str]) -> list[str]:
    """Return a command line without the name that it gives."""
    kept, skip = [], False
    for word in words:
        if not skip and word != "--name" and not word.startswith("--name="):
            kept.append(word)
        skip = word == "--name"
    return kept
