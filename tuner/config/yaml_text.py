"""The text of a search space file as plain values, with ``--set`` applied; YAML 1.2, nothing executed."""

from __future__ import annotations

import io
import math
import os
import re
import stat
from collections.abc import Callable, Sequence, Sized
from datetime import date
from pathlib import Path
from typing import Any

from tuner.config.bounds import MOST_DEPTH, out_of_bounds
from tuner.config.synonyms import meant
from tuner.errors import MOST_SHOWN, InvalidInput, Problem
from tuner.text import nearest, one_of, shortened

MAX_BYTES = 1 << 20
_SUFFIXES = (".yaml", ".yml")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))  # of word processors
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+")  # text in YAML
_EXACT = 1e15
_MOST_FILES = 8  # of a hint
# A key of ours, of AI Platform or of W&B.
_OBJECTIVE = re.compile(r"^\s*(objectives?|hyperparameterMetricTag|metric)\s*:", re.MULTILINE)
_NAMED = ("search.method", "search.sampler", "search.scheduler")  # a name, or a mapping with it and options
_PATHS = ("simulation.curves", "ray.working_dir", "ray.storage")  # keys that name a file or a folder, beside model


def read_text(file: Path) -> str:
    """Return the text of a search space file.

    Raises:
        InvalidInput: It is not there, not text, or larger than a search space is.
    """
    try:
        kind = file.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise InvalidInput(str(file), "is a folder, expected a search space file (YAML)")
        if not stat.S_ISREG(kind.st_mode):
            raise InvalidInput(str(file), "is a device or a pipe, expected a search space file (YAML)")
        if file.suffix == ".py":
            raise InvalidInput(
                str(file), "is a Python file, expected a search space file (YAML) that names it: `model: ...`"
            )
        if kind.st_size > MAX_BYTES:
            raise InvalidInput(str(file), f"has {kind.st_size} bytes, expected a search space of at most {MAX_BYTES}")
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise InvalidInput(str(file), [Problem("", "no such file", _near_file(file))]) from None
    except OSError as error:
        raise InvalidInput(shortened(str(file), 300), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(str(file), f"is not UTF-8 text (byte {error.start})") from error


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML text holds, as plain dicts, lists and scalars.

    Raises:
        InvalidInput: It is no YAML, no mapping, has a key twice, or is out of the bounds of ``tuner.config.bounds``.
    """
    from tuner.config.composer import OutOfBounds

    try:
        loaded = _yaml().load(io.StringIO(text))
    except OutOfBounds as error:
        raise InvalidInput(source, str(error)) from None
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise InvalidInput(source, f"is not YAML: {str(error).splitlines()[0] if str(error) else error!r}") from error
    except Exception as error:
        if type(error).__module__.startswith("ruamel."):
            raise InvalidInput(source, [_yaml_trouble(error)]) from error
        raise
    if not isinstance(loaded, dict):
        raise InvalidInput(source, f"holds {describe(loaded)}, expected a mapping with parameters, objective and train")
    if problems := out_of_bounds(loaded):
        raise InvalidInput(source, problems)
    return loaded


def apply(
    values: dict[str, Any], overrides: Sequence[str], known: Sequence[str], elsewhere: Callable[[str], str]
) -> dict[str, Any]:
    """Return the values with ``KEY=VALUE`` overrides set.

    Args:
        values: Of the file; changed in place.
        overrides: Dotted path of the file, and a value read as YAML; a file or folder in it counts from the current
            folder, where it was typed.
        known: Keys of the file's first level.
        elsewhere: Returns a hint at the section in which another key stands, or nothing.

    Raises:
        InvalidInput: An override has no ``=``, or a path that leads nowhere.
    """
    problems = []
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = path.split(".")
        if not equals or not all(keys) or len(keys) > MOST_DEPTH:
            problems.append(
                Problem("--set", f"found {shortened(override)}, expected KEY=VALUE as in train.max_steps=300")
            )
            continue
        if keys[0] not in known:
            own = isinstance(values.get("parameters"), dict) and keys[0] in values["parameters"]
            hint = f"it is a parameter: --set parameters.{path}=..." if own else elsewhere(keys[0])
            if keys[0].partition("/")[0] in known:
                hint = f"did you mean {path.replace('/', '.')}?"
            problems.append(Problem("--set", f"unknown key {keys[0]!r}", hint or near(keys[0], known)))
            continue
        target = _mapping_at(values, keys[:-1])
        if isinstance(target, Problem):
            problems.append(target)
            continue
        target[keys[-1]] = _from_here(path, parse(f"value: {text}", f"--set {path}")["value"])
    if problems:
        raise InvalidInput("", problems)
    return values


def _mapping_at(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any] | Problem:
    """Return the mapping at a path, made if nothing is there, or what is wrong with the path."""
    for depth, key in enumerate(keys, 1):
        path, found = ".".join(keys[:depth]), values.get(key)
        if found is None:
            found = {}
        elif path in _NAMED and isinstance(found, str):
            found = {"name": found}
        if not isinstance(found, dict):
            return Problem("--set", f"{path} is {describe(found)}, which has no keys", f"as a whole: --set {path}=...")
        values[key] = found
        values = found
    return values


def _from_here(path: str, value: Any) -> Any:
    """Return a value that was typed with the files and folders in it as absolute paths."""
    if isinstance(value, dict):
        return {key: _from_here(f"{path}.{key}", item) for key, item in value.items()}
    if not isinstance(value, str) or not value or "://" in value:
        return value
    subject, colon, name = value.partition(":") if path == "model" else (value, "", "")
    is_file = subject.endswith(".py") or os.sep in subject if path == "model" else path in _PATHS
    return f"{Path(subject).absolute()}{colon}{name}" if is_file else value


def dump(values: dict[str, Any]) -> str:
    """Return values as YAML text."""
    stream = io.StringIO()
    _yaml().dump(values, stream)
    return stream.getvalue()


def near(word: str, words: Sequence[str]) -> str:
    """Return a hint at the one of ``words`` that is meant, at the nearest, or at all of them if they are few."""
    if found := meant(str(word), words):
        return f"did you mean {found!r}?"
    return one_of(str(word), [str(w) for w in words])


def hint_at(problems: Sized, word: str, words: Sequence[str]) -> str:
    """Return a hint as ``near`` does while the problems so far are few enough to be shown; beyond, nothing."""
    return near(word, words) if len(problems) < MOST_SHOWN else ""


def describe(value: Any) -> str:
    """Say what a value is, for a message: ``a list [1, 2]``."""
    kinds: dict[type, str] = {
        bool: "",
        str: "text",
        int: "the whole number",
        float: "the number",
        list: "a list",
        dict: "a mapping",
    }
    if value is None:
        return "nothing"
    if isinstance(value, date):
        return f"the date {value.isoformat()} without quotes"
    text = repr(value)
    return f"{kinds.get(type(value), type(value).__name__)} {text if len(text) <= 60 else text[:57] + '...'}".strip()


def hint_at_number(value: Any) -> str:
    """Return a hint at how a number that is text should be written; nothing if it is none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:  # a whole number was expected
        return f"write {value:.0f}"
    if not isinstance(value, str):
        return ""
    plain = value.strip().translate(_DASHES)
    if _GROUPED.fullmatch(plain):
        return f"write {plain.replace(',', '')}"
    thousands = {"k": 10**3, "K": 10**3, "M": 10**6}.get(plain[-1:], 0)
    try:
        number = float(plain[:-1] if thousands else plain)
    except ValueError:
        return ""
    if not math.isfinite(number):  # nan, inf: no number that is expected anywhere
        return ""
    if thousands:
        return f"write {number * thousands:.0f}"
    return f"write {plain} without quotes" if plain == value.strip() else f"write {plain}, with the plain minus -"


def hint_at_bool(value: Any) -> str:
    """Return a hint at how YAML 1.2 writes what was a truth value in YAML 1.1; nothing if it was none."""
    words = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    found = words.get(value.lower(), "") if isinstance(value, str) else ""
    return found and f"write {found}"


def _yaml() -> Any:
    from ruamel.yaml import YAML

    from tuner.config.composer import BoundedComposer

    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = BoundedComposer
    yaml.version = (1, 2)
    yaml.allow_duplicate_keys = False
    yaml.default_flow_style = False
    # The order of parameters is that of their drawing.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return yaml


_TROUBLES = {  # what the parser says, to what is said, and what is usually meant
    r"found character '\\t'.*": ("found a tab", "lines are indented by blanks"),
    r'found duplicate key "([^"]*)".*': (r"the key \1 stands twice", "leave one of the two out"),
    r"mapping values are not allowed here": (r"\g<0>", "a blank behind each colon, and keys of one mapping in line?"),
    r"expected ',' or '([\]}])', but got .*": (r"expected , or \1", r"is a , or a \1 missing before it?"),
}


def _yaml_trouble(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    hint = ""
    for pattern, (instead, meaning) in _TROUBLES.items():
        if (match := re.fullmatch(pattern, said, re.DOTALL)) is not None:
            said, hint = match.expand(instead), match.expand(meaning)
            break
    return Problem(
        "", f"is not YAML: {f'line {mark.line + 1}, column {mark.column + 1}: ' if mark else ''}{said}", hint
    )


def is_there(path: Path, folder: bool = False) -> bool:
    """Whether there is a file, or a folder, of that path; there is none of a path that no file can have."""
    try:
        return path.is_dir() if folder else path.is_file()
    except (OSError, ValueError):
        return False


def space_files(folder: Path) -> list[Path]:
    """Return the search space files in a folder, or else those in the folders in it: files that name an objective."""
    beside, below = (sorted(p for p in folder.glob(f"{deep}[!.]*.y*ml") if _is_space(p)) for deep in ("", "[!.]*/"))
    return beside or below


def space_files_here(folder: Path) -> str:
    """Name the search space files of a folder for a hint; an empty string if there are none."""
    some = space_files(folder)[:_MOST_FILES]
    return f"search space files here: {', '.join(map(str, some))}" if some else ""


def _is_space(path: Path) -> bool:
    try:
        if path.suffix not in _SUFFIXES or not path.is_file() or path.stat().st_size > MAX_BYTES:
            return False
        return bool(_OBJECTIVE.search(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _near_file(file: Path) -> str:
    """Return a hint at the search space file that is meant: one of nearly that name beside it, or a folder below."""
    folder = file.parent if file.parent.is_dir() else Path()
    beside, below = (sorted(p for p in folder.glob(f"{deep}*.y*ml") if p.suffix in _SUFFIXES) for deep in ("", "*/"))
    stem = file.stem if file.suffix in _SUFFIXES else file.name
    for there in (beside, below):
        if found := nearest(stem, [path.stem for path in there]):
            path = next(path for path in there if path.stem == found)
            return f"did you mean {str(path if path.parent != file.parent else path.name)!r}?"
    if here := space_files_here(folder):
        return here
    gone = "" if folder == file.parent else f"there is no folder {file.parent} either; "
    return f"{gone}give the path of a search space file (YAML); `tuner init` writes one"
