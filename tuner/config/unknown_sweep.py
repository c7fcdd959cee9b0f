"""What is said of a name that no sweep has."""

from __future__ import annotations

from pathlib import Path

from tuner.config.yaml_text import parse
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import SweepDir
from tuner.text import suggestion


def unknown_sweep(sweep_dir: SweepDir) -> InvalidInput:
    """Return the error that names the sweeps which are there, and what was probably meant."""
    name, root = sweep_dir.name, sweep_dir.root
    there = [other.name for other in root.sweeps()]
    here = f"sweeps here: {', '.join(there)}" if there else "there are no sweeps here; tuner run FILE begins one"
    if name.isdecimal():
        meant = f"a trial is written NAME:{name};"
    elif name.endswith((".yaml", ".yml")):
        meant = _file_meant(Path(name), there)
    else:
        meant = suggestion(name, there)
    return InvalidInput("", [Problem("", f"no sweep {name!r} under {root.path}", f"{meant} {here}".strip())])


def _file_meant(file: Path, there: list[str]) -> str:
    """Say what the sweep of a search space file is called, or how it is begun; nothing if it cannot be read."""
    try:
        called = parse(file.read_text(encoding="utf-8"), str(file)).get("name")
    except (OSError, ValueError, InvalidInput, AttributeError):
        return suggestion(file.stem, there)
    if called in there:
        return f"it is a search space file, and its sweep is called {called!r};"
    return f"it is a search space file, whose sweep has not begun: tuner run {file};"
