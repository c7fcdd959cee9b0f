"""What a script imports of others, found in its text, so that the fork server can import it once.

The script's own modules are left to each trial: they may look at the trial's flags and environment. What
they import is found by following the script's imports of them, so that files which merely lie beside it
(a virtual environment, records, other programs) are not even looked at. Only what is imported whenever the
script runs counts: not what is under a condition or in a function, which may never be called.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from tuner.script.command_line import Program

_AS_A_PROGRAM = ("__name__ == '__main__'", "'__main__' == __name__")


@dataclass(frozen=True)
class _Module:
    """A file of the script's own.

    Attributes:
        package: Parts of the name of the package that it is in; its own name if it is a package.
        main: Whether it is the script itself.
    """

    file: Path
    package: tuple[str, ...] = ()
    main: bool = False


def imports_of_others(program: Program, folder: Path) -> list[str]:
    """Return the import statements of the script, and of those of its own modules that it reaches, that name others'.

    Args:
        program: A module or a file.
        folder: The working directory.

    Returns:
        Statements of one name each: the script's first, then those of the modules that it imports, and so on.
    """
    file = _file(program, folder)
    if file is None:
        return []
    own = [str(file.resolve().parent), str(folder)] if program.kind == "file" else [str(folder)]
    package = tuple(program.target.split(".")) if program.kind == "module" else ()
    if file.name != "__main__.py":
        package = package[:-1]
    waiting = collections.deque([_Module(file, package, main=True), *_run_by(package, own)])
    seen: set[Path] = set()
    found: dict[str, None] = {}
    while waiting:
        module = waiting.popleft()
        if module.file in seen:
            continue
        seen.add(module.file)
        for statement, name in _imports(module):
            if PathFinder.find_spec(name[0], own) is not None:
                waiting.extend(_run_by(name, own))
            else:
                found.setdefault(statement)
    return list(found)


def own_files(program: Program, folder: Path) -> list[Path]:
    """Return the files of a script: itself and those of its own modules that it imports, wherever it does.

    Args:
        program: A module or a file.
        folder: The working directory.
    """
    file = _file(program, folder)
    if file is None:
        return []
    own = [str(file.resolve().parent), str(folder)] if program.kind == "file" else [str(folder)]
    package = tuple(program.target.split(".")) if program.kind == "module" else ()
    if file.name != "__main__.py":
        package = package[:-1]
    waiting = collections.deque([_Module(file, package, main=True), *_run_by(package, own)])
    seen: dict[Path, None] = {}
    while waiting:
        module = waiting.popleft()
        if module.file not in seen:
            seen[module.file] = None
            for _, name in _imports(module, everywhere=True):
                waiting.extend(_run_by(name, own))
    return list(seen)


def _file(program: Program, folder: Path) -> Path | None:
    if program.kind == "file":
        file = folder / program.target
        return file if file.is_file() else None
    path = folder.joinpath(*program.target.split("."))
    return next((f for f in (path.with_suffix(".py"), path / "__main__.py") if f.is_file()), None)


def _run_by(name: tuple[str, ...], own: list[str]) -> Iterator[_Module]:
    """Yield the files of ``own`` that run when a module of that name is imported: its packages, then itself."""
    path = own
    for end, part in enumerate(name, start=1):
        # By its last part alone: for the whole name of a folder without __init__.py its parent has to be imported.
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            return
        path = list(spec.submodule_search_locations or [])
        if spec.origin is not None and spec.origin.endswith(".py"):
            yield _Module(Path(spec.origin), name[:end] if path else name[: end - 1])
        if not path:
            return


def _imports(module: _Module, everywhere: bool = False) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a module's imports, one name each: as a statement, and as the parts of what it names.

    Args:
        module: The module.
        everywhere: Also those in functions and under conditions.
    """
    try:
        tree = ast.parse(module.file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree) if everywhere else _always_run(tree.body, module.main):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield f"import {name.name}", tuple(name.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            above = len(module.package) - node.level + 1
            if node.level and above < 1:
                continue  # an error when it runs
            base = (*(module.package[:above] if node.level else ()), *(node.module.split(".") if node.module else ()))
            for name in node.names:
                whole = base if name.name == "*" else (*base, name.name)
                yield f"from {'.'.join(base)} import {name.name}", whole


def _always_run(statements: Iterable[ast.stmt], main: bool) -> Iterator[ast.stmt]:
    """Yield the statements that run whenever the module does; ``main`` if it does so as a program."""
    for node in statements:
        yield node
        yield from _always_run(_run_within(node, main), main)


def _run_within(node: ast.stmt, main: bool) -> list[ast.stmt]:
    """Return those statements within a statement that run whenever it does."""
    if isinstance(node, ast.Try):
        return [*node.body, *node.orelse, *node.finalbody]
    if isinstance(node, ast.If):
        return node.body if main and ast.unparse(node.test) in _AS_A_PROGRAM else []
    return node.body if isinstance(node, (ast.With, ast.ClassDef)) else []
