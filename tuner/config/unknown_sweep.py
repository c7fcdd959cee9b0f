"""What is said of a name that no sweep has, and of a folder that has none."""

from __future__ import annotations

from pathlib import Path

from tuner.config.yaml_text import parse
from tuner.errors import InvalidInput, Problem
from tuner.files.other_roots import other_roots, root_option
from tuner.files.paths import Root, SweepDir
from tuner.text import nearest_name

_MOST_NAMED = 20


def unknown_sweep(sweep_dir: SweepDir) -> InvalidInput:
    """Return the error that names the sweeps which are there, and what was probably meant."""
    name, root = sweep_dir.name, sweep_dir.root
    there = [other.name for other in root.sweeps()]
    if name.isdecimal():
        meant = f"a trial is written NAME:{name};"
    elif name.endswith((".yaml", ".yml")):
        meant = _file_meant(Path(name), there)
    elif (other := next((o for o in other_roots(root) if o.sweep(name).spec_file.is_file()), None)) is not None:
        return _unknown(name, root, f"there is one with {root_option(other)}")
    else:
        meant = _suggestion(name, there)
    return _unknown(name, root, f"{meant} {sweeps_here(root)}".strip())


def _unknown(name: str, root: Root, hint: str) -> InvalidInput:
    return InvalidInput("", [Problem("", f"no sweep {name!r} under {root.path}", hint)])


def sweeps_here(root: Root) -> str:
    """Name the sweeps of a root, or say where there are some, and else what begins one."""
    names = [sweep_dir.name for sweep_dir in root.sweeps()]
    if names:
        more = f" and {len(names) - _MOST_NAMED} more (tuner list)" if len(names) > _MOST_NAMED else ""
        return f"sweeps here: {', '.join(names[:_MOST_NAMED])}{more}"
    return f"there are no sweeps here; {sweeps_elsewhere(root)}"


def sweeps_elsewhere(root: Root) -> str:
    """Say near which other folders there are sweeps, or what begins one."""
    if found := other_roots(root)[:3]:
        return f"there are some with {' or '.join(map(root_option, found))}"
    return "tuner run SPACE.yaml begins one"


def _suggestion(name: str, there: list[str]) -> str:
    found = nearest_name(name, there)
    return f"did you mean {found!r}?" if found else ""


def _file_meant(file: Path, there: list[str]) -> str:
    """Say what the sweep of a search space file is called, or how it is begun; the nearest of no file."""
    try:
        called = parse(file.read_text(encoding="utf-8"), str(file)).get("name", file.stem)
    except (OSError, ValueError, InvalidInput, AttributeError):
        return _suggestion(file.stem, there)
    if called in there:
        return f"it is a search space file, and its sweep is called {called!r};"
    return f"it is a search space file, whose sweep has not begun: tuner run {file};"
