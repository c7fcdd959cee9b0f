"""The command of script mode: filled in for a trial, and recognised as Python or not.

``python -m trainer.task --job-dir {trial_dir}`` comes in as words; for each trial ``{trial_dir}``,
``{trial}`` and ``{PARAMETER}`` are filled in where they stand, and parameters that stand nowhere are
appended as ``--PARAMETER=VALUE``. ``{{NAME}}`` is a literal ``{NAME}``; other braces, and ``${NAME}``,
mean nothing here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import InvalidInput, Problem
from tuner.files.beside import names_in, near_path
from tuner.space.parameters import Params, ParamValue
from tuner.text import nearest, suggestion

TRIAL, TRIAL_DIR = "trial", "trial_dir"

_IN_BRACES = re.compile(r"\{\{([A-Za-z_][\w.-]*)\}\}|(?<!\$)\{([^{}]+)\}")

_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*")

_FLAG = re.compile(r"[^\s=-][^\s=]*")

_PYTHON = re.compile(r"python(3(\.\d+)?)?")

_HARMLESS_OPTIONS = frozenset({"-u", "-B"})  # of the interpreter: unbuffered output, no .pyc files


def placed(command: Sequence[str], names: Iterable[str]) -> set[str]:
    """Return those of ``names`` that stand in braces somewhere in the command."""
    known = set(names)
    return {match[2] for word in command for match in _IN_BRACES.finditer(word) if match[2] in known}


def unknown(command: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return what stands in braces, looks like a name, and is none of ``names``."""
    known = {*names, TRIAL, TRIAL_DIR}
    found = (match[2] for word in command for match in _IN_BRACES.finditer(word) if match[2])
    return [name for name in dict.fromkeys(found) if name not in known and _IDENTIFIER.fullmatch(name)]


def fill(
    command: Sequence[str], params: Params, names: Iterable[str], trial: int, trial_dir: Path | str
) -> tuple[str, ...]:
    """Return the command of a trial.

    Args:
        command: As it was given.
        params: The trial's parameters and constants; one whose condition does not hold, or that is null, gives no
            flag, and takes the flag in front of its place with it.
        names: All parameters and constants that there are.
        trial: The trial's number.
        trial_dir: The trial's folder.
    """
    given = {name: value for name, value in params.items() if value is not None}
    values = {name: flag_value(value) for name, value in given.items()}
    values |= {TRIAL: str(trial), TRIAL_DIR: str(trial_dir)}
    absent = set(names) - set(given)
    words: list[str] = []
    for word in command:
        alone = re.fullmatch(r"(--?[^{}=\s]+=)?\{([^{}]+)\}", word)
        if alone and alone[2] in absent:
            if not alone[1] and words and words[-1].startswith("-"):
                words.pop()
            continue
        words.append(_filled(word, values, absent))
    there = placed(command, names)
    return (*words, *(f"--{name}={values[name]}" for name in given if name not in there))


def flag_value(value: ParamValue) -> str:
    """Return a value as a flag has it: whole numbers without a decimal point, lists as JSON."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return json.dumps(value) if isinstance(value, list) else str(value)


def _filled(word: str, values: Mapping[str, str], absent: set[str]) -> str:
    def fill_one(match: re.Match[str]) -> str:
        if match[1] is not None:
            return f"{{{match[1]}}}"
        return values.get(match[2], "" if match[2] in absent else match[0])

    return _IN_BRACES.sub(fill_one, word)


@dataclass(frozen=True)
class Program:
    """What a command runs.

    Attributes:
        kind: ``module`` or ``file`` for Python of the interpreter in use, else ``program``.
        target: The module's name, the file, or the program's path; empty if there is none.
        arguments: What follows it.
    """

    kind: str
    target: str
    arguments: tuple[str, ...] = ()

    @property
    def forked(self) -> bool:
        """Whether it runs in a process forked from the fork server, with Estimators in place."""
        return self.kind != "program"


def recognise(command: Sequence[str], folder: Path | str) -> Program:
    """Say what a command runs.

    Args:
        command: Its words.
        folder: Its working directory.
    """
    first, rest = command[0], list(command[1:])
    if not _is_this_python(first, Path(folder)):
        return Program("program", _which(first, folder) or "", tuple(rest))
    while rest and rest[0] in _HARMLESS_OPTIONS:
        rest.pop(0)
    if len(rest) > 1 and rest[0] == "-m":
        return Program("module", rest[1], tuple(rest[2:]))
    if rest and not rest[0].startswith("-"):
        return Program("file", rest[0], tuple(rest[1:]))
    return Program("program", sys.executable, tuple(command[1:]))


def check_command(command: Sequence[str], names: Iterable[str], folder: Path | str) -> Program:
    """Return what a command runs, having looked whether it is there.

    Raises:
        InvalidInput: The program, file or module does not exist, or a name in braces is none of the
            sweep's; with near matches. Or a parameter's name is that of no flag.
    """
    pass

    names = list(names)
    problems = [
        Problem(
            "command",
            f"{{{name}}} is neither a parameter nor trial or trial_dir",
            _hint_at_name(name, [*names, TRIAL, TRIAL_DIR]),
        )
        for name in unknown(command, names)
    ]
    problems += _no_flags(command, names)
    program = recognise(command, folder)
    if not placed([command[0], program.target], [*names, TRIAL, TRIAL_DIR]):
        if program.kind == "program" and not program.target:
            problems.append(Problem("command", f"no such program: {command[0]!r}", near_program(command[0], folder)))
        elif program.forked and not _python_exists(program, Path(folder)):
            what = "module" if program.kind == "module" else "file"
            hint = near_python(program.target, program.kind == "module", Path(folder))
            problems.append(Problem("command", f"no such {what}: {program.target!r} (in {folder})", hint))
    if problems:
        raise InvalidInput("", problems)
    return program


def _no_flags(command: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    """Yield the parameters whose names no command reads as those of flags, and that have no place in it."""
    there = placed(command, names)
    for name in names:
        if name not in there and not _FLAG.fullmatch(name):
            yield Problem(
                f"parameters.{name}",
                f"--{name}=VALUE is no flag that a command reads as {name!r}",
                f"give it another name, or a place in the command: --FLAG={{{name}}}",
            )


def _hint_at_name(name: str, names: list[str]) -> str:
    return f"{suggestion(name, names)}; write {{{{{name}}}}} for literal braces".lstrip("; ")


def _is_this_python(word: str, folder: Path) -> bool:
    """Whether a program's name means the interpreter that runs us: by a name for it, or by its path."""
    name = os.path.basename(word)  # noqa: PTH119 - the word as it is
    if not _PYTHON.fullmatch(name):
        return False
    if os.sep not in word:
        return name in ("python", "python3", f"python3.{sys.version_info.minor}")
    path, ours = folder / word, Path(sys.executable)
    try:
        # A virtual environment's interpreter is a link: another one's leads to the same file.
        return path.samefile(ours) and path.parent.resolve() == ours.parent.resolve()
    except OSError:
        return False


def _which(word: str, folder: Path | str) -> str | None:
    if os.sep in word:
        path = Path(folder) / word
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None
    return shutil.which(word)


def _python_exists(program: Program, folder: Path) -> bool:
    if program.kind == "file":
        return (folder / program.target).exists()
    from importlib.machinery import PathFinder

    path: Sequence[str] | None = [str(folder), *sys.path]
    parts = program.target.split(".")
    for end in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:end]), path)
        except (ImportError, ValueError):
            return False
        if spec is None:
            return end == 1 and parts[0] in sys.builtin_module_names
        path = spec.submodule_search_locations
        if path is None:
            return end == len(parts)
    return PathFinder.find_spec(f"{program.target}.__main__", path) is not None


def near_program(word: str, folder: Path | str) -> str:
    """Return a hint at a program on ``PATH`` or a file that ``word`` may mean."""
    if word.endswith((".yaml", ".yml")) or word.isdecimal():
        return (
            "what stands behind SPACE.yaml is the command of each trial, as in: tuner run SPACE.yaml -- python train.py"
        )
    if " " in word.strip():
        return f"quotes make one word of it; without them: -- {word}"
    if word.endswith(".py") and (Path(folder) / word).is_file():
        return f"a command is its program and arguments: -- python {word}; a model stands in the file: model: {word}"
    if os.sep in word:
        path = Path(folder) / word
        if path.is_file():
            return f"the file is there and is not executable: chmod +x {word}, or name its interpreter"
        return near_path(path) or f"looked in {path.parent}"
    if (Path(folder) / word).is_file():
        return f"did you mean './{word}'?"
    on_path = [name for entry in os.get_exec_path() for name in names_in(Path(entry))]
    return suggestion(word, on_path) or "nothing on PATH has that name"


def near_python(target: str, is_module: bool, folder: Path) -> str:
    """Return a hint at a module or Python file that ``target`` may mean."""
    if not is_module:
        path = folder / target
        return suggestion(path.name, [name for name in names_in(path.parent) if name.endswith(".py")])
    parts = target.split(".")
    inside, last = folder.joinpath(*parts[:-1]), parts[-1]
    if target.endswith(".py") and (folder / target).exists():
        return f"a file is run without -m: python {target}"
    if not inside.is_dir():
        found = suggestion(parts[0], [name for name in names_in(folder) if (folder / name).is_dir()])
        return found or "modules are looked for in the working directory and the interpreter's path"
    stems = [Path(name).stem for name in names_in(inside) if name.endswith(".py") or (inside / name).is_dir()]
    found = nearest(last, stems)
    return f"did you mean {'.'.join([*parts[:-1], found])!r}?" if found else ""
