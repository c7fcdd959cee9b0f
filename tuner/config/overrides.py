"""What ``--set`` takes away from a file: what a whole mapping had, and what cannot stand beside what is set."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.config.yaml_text import parse
from tuner.errors import InvalidInput, Problem
from tuner.text import suggestion

_INSTEAD = {
    "search.method": ("sampler", "scheduler"),
    "search.sampler": ("method",),
    "search.scheduler": ("method",),
}
"""Path to the keys of the file in whose place its value stands."""


def give_way(values: dict[str, Any], overrides: Sequence[str]) -> list[str]:
    """Remove from a file what an override stands in the place of, unless that is set, too; return a line for each.

    Args:
        values: Of the file, before the overrides; changed in place.
        overrides: ``KEY=VALUE``.
    """
    search = values.get("search")
    if not isinstance(search, dict):
        return []
    given = {".".join(path.split(".")[:2]): text for path, _, text in (one.partition("=") for one in overrides)}
    said = []
    for path, instead in _INSTEAD.items():
        keys = [key for key in instead if search.get(key) is not None and f"search.{key}" not in given]
        if keys and given.get(path, "null").strip() not in ("", "null", "~"):
            said.append(f"--set {path} stands in the place of {' and '.join(f'search.{key}' for key in keys)}")
            for key in keys:
                del search[key]
    return said


def parts_meant(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Return by path how parts of a mapping are set, of each override that puts one with fewer keys in its place.

    And what is said of one that sets a part of a parameter which is not there.

    Args:
        values: Of the file, before the overrides.
        overrides: ``KEY=VALUE``.
    """
    found = {}
    for override in overrides:
        path, _, text = override.partition("=")
        section, *names = path.split(".")
        known = values.get(section)
        if section == "parameters" and len(names) > 1 and isinstance(known, Mapping) and names[0] not in known:
            hint = suggestion(names[0], [str(name) for name in known])
            found[f"{section}.{names[0]}"] = f"the file has no parameter {names[0]!r} to set a part of: {hint}".rstrip(
                ": "
            )
        there: Any = values
        for key in path.split("."):
            there = there.get(key) if isinstance(there, Mapping) else None
        try:
            given = parse(f"value: {text}", "--set")["value"]
        except InvalidInput:
            continue  # whoever applies it says so
        if isinstance(there, Mapping) and isinstance(given, Mapping) and given and set(there) - set(given):
            parts = " ".join(f"--set {shlex.quote(f'{path}.{key}={_text(item)}')}" for key, item in given.items())
            found[path] = f"--set {path} replaces all of it; to set a part: {parts}"
    return found


def sections_replaced(values: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """Return a line for each whole section that an override replaces by one with fewer keys."""
    return [line for path, line in parts_meant(values, overrides).items() if path in values]


def with_parts(problems: Sequence[Problem], parts: Mapping[str, str]) -> list[Problem]:
    """Return the problems; the first thing that a replaced mapping lacks has how its parts are set as its hint."""
    left, found = dict(parts), []
    for problem in problems:
        lacks = problem.message.startswith("is missing")
        path = next((p for p in left if lacks and f"{problem.where}.".startswith(f"{p}.")), None)
        found.append(problem if path is None else replace(problem, hint=left.pop(path)))
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
