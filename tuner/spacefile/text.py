"""The text of a search space file as plain values, with ``--set`` applied; YAML 1.2, nothing executed."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem

MAX_BYTES = 1 << 20
_MAX_VALUES = 100_000  # what aliases may multiply a file to


def read_text(file: Path) -> str:
    """Return the text of a search space file.

    Raises:
        InvalidInput: It is not there, not text, or larger than a search space is.
    """
    try:
        if file.suffix == ".py" and file.is_file():
            raise InvalidInput(
                str(file), "is a Python file, expected a search space file (YAML) that names it: `model: ...`"
            )
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise InvalidInput(str(file), f"has {size} bytes, expected a search space of at most {MAX_BYTES}")
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InvalidInput(str(file), [Problem("", "no such file", _near_file(file))]) from None
    except IsADirectoryError:
        raise InvalidInput(str(file), "is a folder, expected a search space file (YAML)") from None
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(str(file), f"is not UTF-8 text (byte {error.start})") from error


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML text holds, as plain dicts, lists and scalars.

    Raises:
        InvalidInput: It is no YAML, no mapping, has a key twice, or grows beyond measure by aliases.
    """
    try:
        loaded = _yaml().load(io.StringIO(text))
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise InvalidInput(source, f"is not YAML: {str(error).splitlines()[0] if str(error) else error!r}") from error
    except Exception as error:
        if type(error).__module__.startswith("ruamel."):
            raise InvalidInput(source, f"is not YAML: {_yaml_trouble(error)}") from error
        raise
    if not isinstance(loaded, dict):
        raise InvalidInput(source, f"holds {describe(loaded)}, expected a mapping with parameters, objective and train")
    _bounded(loaded, source)
    return loaded


def apply(values: dict[str, Any], overrides: Sequence[str], known: Sequence[str]) -> dict[str, Any]:
    """Return the values with ``KEY=VALUE`` overrides set.

    Args:
        values: Of the file; changed in place.
        overrides: Dotted path of the file, and a value read as YAML.
        known: Keys of the file's first level.

    Raises:
        InvalidInput: An override has no ``=``, or a path that leads nowhere.
    """
    problems = []
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            problems.append(Problem("--set", f"found {override!r}, expected KEY=VALUE as in train.max_steps=300"))
            continue
        if keys[0] not in known:
            problems.append(Problem("--set", f"unknown key {keys[0]!r}", near(keys[0], known)))
            continue
        target: Any = values
        for key in keys[:-1]:
            target = target.setdefault(key, {}) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            problems.append(Problem("--set", f"{path!r} leads into something that is no mapping"))
            continue
        target[keys[-1]] = parse(f"value: {text}", f"--set {path}")["value"]
    if problems:
        raise InvalidInput("", problems)
    return values


def dump(values: dict[str, Any]) -> str:
    """Return values as YAML text."""
    stream = io.StringIO()
    _yaml().dump(values, stream)
    return stream.getvalue()


def near(word: str, words: Sequence[str]) -> str:
    """Return a hint at the nearest of ``words``, or at all of them where they are few."""
    match = difflib.get_close_matches(str(word), [str(w) for w in words], n=1)
    if match:
        return f"did you mean {match[0]!r}?"
    return f"expected one of: {', '.join(sorted(map(str, words)))}" if words and len(words) <= 20 else ""


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
    text = repr(value)
    return f"{kinds.get(type(value), type(value).__name__)} {text if len(text) <= 60 else text[:57] + '...'}".strip()


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.allow_duplicate_keys = False
    yaml.default_flow_style = False
    # The order of parameters is that of their drawing.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return yaml


def _yaml_trouble(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _bounded(value: Any, source: str) -> None:
    """Refuse values that aliases multiplied, and those nested in themselves."""
    count, stack = 0, [(value, 0)]
    while stack:
        item, depth = stack.pop()
        count += 1
        if count > _MAX_VALUES or depth > 50:
            raise InvalidInput(source, "grows beyond measure by its aliases, expected plain values")
        if isinstance(item, dict):
            stack += [(inner, depth + 1) for inner in (*item.keys(), *item.values())]
        elif isinstance(item, list):
            stack += [(inner, depth + 1) for inner in item]


def _near_file(file: Path) -> str:
    folder = file.parent
    try:
        there = [path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml")]
    except OSError:
        return f"there is no folder {folder} either"
    hint = near(file.name, there)
    return hint or "give the path of a search space file (YAML); `tuner init` writes one"
