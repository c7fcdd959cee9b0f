"""Commands that open other people's dashboards on a sweep, as they work in this shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tuner.files.paths import SweepDir


def tensorboard(folder: Path) -> str:
    """Return the command that shows the event files below ``folder``."""
    return f"{_program('tensorboard') or 'tensorboard'} --logdir {_shown(folder)}"


def optuna_dashboard(sweep_dir: SweepDir, storage_url: str = "") -> str:
    """Return the command that shows the study of a sweep, or how to get its program."""
    program = _program("optuna-dashboard")
    if program is None:
        return "pip install optuna-dashboard, which is not here"
    storage = shlex.quote(_without_password(storage_url)) if storage_url else _shown(sweep_dir.journal_file)
    return f"{program} {storage}"


def _program(name: str) -> str | None:
    """Return how to call the program of this environment, or None if it has none."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name)
    if not beside.exists():
        return name if found else None
    return name if found == str(beside) else _shown(beside)


def _shown(path: Path) -> str:
    """Return a path for a shell in the current folder, the shorter way."""
    relative = os.path.relpath(path)
    return shlex.quote(relative if len(relative) < len(str(path)) else str(path))


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":PASSWORD@", 1)))
