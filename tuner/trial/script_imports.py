"""What a script imports of others, found in its text, so that the warm parent can import it once.

The script's own modules are left to each trial: they may look at the trial's flags and environment.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from tuner.command import Program

_MOST_FILES = 200


def imports_of_others(program: Program, folder: Path) -> list[str]:
    """Return import statements of the script and of the modules beside it that name none of its own.

    Args:
        program: A module or a file.
        folder: The working directory.
    """
    file = _file(program, folder)
    if file is None:
        return []
    own = [str(file.parent), str(folder)] if program.kind == "file" else [str(folder)]
    found: dict[str, None] = {}
    for beside in [file, *sorted(file.parent.glob("**/*.py"))[:_MOST_FILES]]:
        for statement, top in _imports(beside):
            if PathFinder.find_spec(top, own) is None:
                found.setdefault(statement)
    return list(found)


def _file(program: Program, folder: Path) -> Path | None:
    if program.kind == "file":
        file = folder / program.target
        return file if file.is_file() else None
    path = folder.joinpath(*program.target.split("."))
    return next((f for f in (path.with_suffix(".py"), path / "__main__.py") if f.is_file()), None)


def _imports(file: Path) -> Iterator[tuple[str, str]]:
    """Yield import statements, one name each, with the first part of the module's name."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield f"import {name.name}", name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
            for name in node.names:
                if name.name != "*":
                    yield f"from {node.module} import {name.name}", node.module.split(".")[0]
