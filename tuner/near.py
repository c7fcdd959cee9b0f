"""What somebody may have meant who named something that is not there."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path


def near(word: str, words: Sequence[str]) -> str:
    """Return a hint at the nearest of ``words``, or an empty string."""
    match = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean {match[0]!r}?" if match else ""


def near_program(word: str, folder: Path | str) -> str:
    """Return a hint at a program on ``PATH`` or a file that ``word`` may mean."""
    if os.sep in word:
        path = Path(folder) / word
        if path.is_file():
            return f"the file is there and is not executable: chmod +x {word}, or name its interpreter"
        hint = near(path.name, _names(path.parent))
        return hint or f"looked in {path.parent}"
    if (Path(folder) / word).is_file():
        return f"did you mean './{word}'?"
    on_path = [name for entry in os.get_exec_path() for name in _names(Path(entry))]
    return near(word, on_path) or "nothing on PATH has that name"


def near_python(target: str, is_module: bool, folder: Path) -> str:
    """Return a hint at a module or Python file that ``target`` may mean."""
    if not is_module:
        path = folder / target
        return near(path.name, [name for name in _names(path.parent) if name.endswith(".py")])
    parts = target.split(".")
    inside, last = folder.joinpath(*parts[:-1]), parts[-1]
    if target.endswith(".py") and (folder / target).exists():
        return f"a file is run without -m: python {target}"
    if not inside.is_dir():
        found = near(parts[0], [name for name in _names(folder) if (folder / name).is_dir()])
        return found or "modules are looked for in the working directory and the interpreter's path"
    stems = [Path(name).stem for name in _names(inside) if name.endswith(".py") or (inside / name).is_dir()]
    match = difflib.get_close_matches(last, stems, n=1, cutoff=0.6)
    return f"did you mean {'.'.join([*parts[:-1], match[0]])!r}?" if match else ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted
    except OSError:
        return []
