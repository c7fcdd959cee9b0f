"""The ``parameters`` of a search space file: each entry a parameter or a constant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from tuner.errors import Problem
from tuner.space import Categorical, Discrete, Float, Int, Parameter, Space
from tuner.spacefile.text import describe, near

SCALES = ("linear", "log", "reverse_log")
"""``log`` is what ``log: true`` says; ``reverse_log`` spreads out the values near ``high``."""

EXACT = 2**53
"""Beyond it a float, which samplers reckon with, is not every whole number."""

_KEYS: Mapping[str, frozenset[str]] = {
    "float": frozenset({"type", "low", "high", "log", "scale", "step", "when"}),
    "int": frozenset({"type", "low", "high", "log", "scale", "step", "when"}),
    "discrete": frozenset({"type", "values", "when"}),
    "categorical": frozenset({"type", "choices", "when"}),
}


def read_parameters(value: Any, problems: list[Problem]) -> Space | None:
    """Return the space that the mapping holds; mistakes go to ``problems``."""
    if value is None:
        return Space(())
    if not isinstance(value, dict):
        return None  # the shape says so
    before = len(problems)
    found: dict[str, Parameter] = {}
    constants: dict[str, Any] = {}
    for name, entry in value.items():
        where = f"parameters.{name}"
        if not isinstance(name, str) or not name or len(name) > 200 or not name.isprintable():
            problems.append(
                Problem("parameters", f"found the name {describe(name)}, expected text of at most 200 characters")
            )
        elif isinstance(entry, dict):
            parameter = _parameter(name, entry, where, problems)
            if parameter is not None:
                found[name] = parameter
        elif _is_plain(entry):
            constants[name] = entry
        else:
            problems.append(Problem(where, f"found {describe(entry)}, expected a parameter or a constant"))
    ordered = _ordered(found, value, problems)
    return Space(tuple(ordered), constants) if len(problems) == before else None


def _parameter(name: str, entry: dict[str, Any], where: str, problems: list[Problem]) -> Parameter | None:
    kind: Any = entry.get("type")
    if kind is None and ("choices" in entry or "values" in entry):
        kind = "categorical" if "choices" in entry else "discrete"
    if kind not in _KEYS:
        was = "is missing" if kind is None else f"unknown type {kind!r}"
        problems.append(Problem(f"{where}.type", was, near(str(kind), list(_KEYS))))
        return None
    before = len(problems)
    for key in entry:
        if key not in _KEYS[kind]:
            problems.append(Problem(f"{where}.{key}", f"unknown key {key!r}", near(str(key), list(_KEYS[kind]))))
    when = _when(entry.get("when"), where, problems)
    if kind == "categorical":
        choices = _choices(entry.get("choices"), where, problems)
        return Categorical(name, choices, when) if len(problems) == before else None
    if kind == "discrete":
        values = _values(entry.get("values"), where, problems)
        return Discrete(name, values, when) if len(problems) == before else None
    return _number(name, kind, entry, when, where, problems)


def _number(
    name: str,
    kind: str,
    entry: dict[str, Any],
    when: dict[str, tuple[Any, ...]],
    where: str,
    problems: list[Problem],
) -> Parameter | None:
    before = len(problems)
    for key in ("low", "high", "step"):
        if key not in entry and key != "step":
            problems.append(Problem(f"{where}.{key}", "is missing"))
        elif key in entry and not _is_number(entry[key], whole=kind == "int"):
            expected = "a whole number" if kind == "int" else "a finite number"
            problems.append(Problem(f"{where}.{key}", f"found {describe(entry[key])}, expected {expected}"))
    scale = _scale(entry, where, problems)
    log = scale != "linear"
    if len(problems) > before:
        return None
    low, high, step = entry["low"], entry["high"], entry.get("step")
    if kind == "int" and max(abs(low), abs(high)) > EXACT:
        problems.append(
            Problem(where, f"has a bound beyond {EXACT}", "samplers reckon with floats, which skip whole numbers there")
        )
    if low > high:
        problems.append(Problem(where, f"low ({low}) is above high ({high})", "expected low at most high"))
    if log and low <= 0:
        least = "at least 1" if kind == "int" else "a number above 0"
        problems.append(Problem(f"{where}.low", f"is {low}, expected {least} because {_said(entry)}"))
    if step is not None and step <= 0:
        problems.append(Problem(f"{where}.step", f"is {step}, expected a number above 0"))
    if log and step is not None and (kind == "float" or step != 1):
        problems.append(Problem(f"{where}.step", f"cannot stand there because {_said(entry)}", "remove one of them"))
    if len(problems) > before:
        return None
    if kind == "int":
        return Int(name, low, high, log, step or 1, when, scale == "reverse_log")
    step = None if step is None else float(step)
    return Float(name, float(low), float(high), log, step, when, scale == "reverse_log")


def _scale(entry: dict[str, Any], where: str, problems: list[Problem]) -> str:
    log, scale = entry.get("log", False), entry.get("scale")
    if not isinstance(log, bool):
        problems.append(Problem(f"{where}.log", f"found {describe(log)}, expected true or false"))
    if scale is None:
        return "log" if log is True else "linear"
    if scale not in SCALES:
        problems.append(Problem(f"{where}.scale", f"found {describe(scale)}", near(str(scale), SCALES)))
    elif "log" in entry and (log, scale) not in ((True, "log"), (False, "linear")):
        problems.append(Problem(f"{where}.scale", f"is {scale} beside log: {str(log).lower()}", "remove log"))
    return str(scale)


def _said(entry: dict[str, Any]) -> str:
    """Return how the file says that the scale is logarithmic."""
    return f"scale is {entry['scale']}" if "scale" in entry else "log is true"


def _values(value: Any, where: str, problems: list[Problem]) -> tuple[int | float, ...]:
    where = f"{where}.values"
    if not isinstance(value, list) or not value:
        problems.append(Problem(where, f"found {describe(value)}, expected a list with at least one number"))
        return ()
    bad = [item for item in value if not _is_number(item, whole=False)]
    if bad:
        hint = "type: categorical takes other values than numbers, as choices"
        problems.append(Problem(where, f"found {describe(bad[0])}, expected finite numbers", hint))
    elif any(one >= other for one, other in itertools.pairwise(value)):
        problems.append(Problem(where, f"found {describe(value)}, expected numbers in ascending order"))
    return tuple(value)


def _choices(value: Any, where: str, problems: list[Problem]) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        problems.append(
            Problem(f"{where}.choices", f"found {describe(value)}, expected a list with at least one choice")
        )
        return ()
    for index, choice in enumerate(value):
        if not _is_plain(choice):
            problems.append(
                Problem(f"{where}.choices", f"found {describe(choice)}, expected plain values or lists of them")
            )
        if any(_same(choice, other) for other in value[:index]):
            problems.append(Problem(f"{where}.choices", f"{choice!r} stands there twice"))
    return tuple(value)


def _when(value: Any, where: str, problems: list[Problem]) -> dict[str, tuple[Any, ...]]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not value:
        problems.append(
            Problem(
                f"{where}.when",
                f"found {describe(value)}, expected a mapping as {{optimizer: sgd}} or {{layers: [2, 3]}}",
            )
        )
        return {}
    return {str(parent): tuple(v) if isinstance(v, list) else (v,) for parent, v in value.items()}


def _ordered(found: dict[str, Parameter], entries: dict[str, Any], problems: list[Problem]) -> list[Parameter]:
    """Return the parameters so that each comes after those its condition names."""
    for name, parameter in found.items():
        for parent, values in parameter.when.items():
            where = f"parameters.{name}.when"
            if parent not in entries:
                problems.append(Problem(where, f"names the unknown parameter {parent!r}", near(parent, list(entries))))
            elif parent in found:
                problems += [
                    Problem(where, f"{parent} never is {value!r}", _range(found[parent]))
                    for value in values
                    if not _can_be(found[parent], value)
                ]
            elif not isinstance(entries[parent], dict):
                problems.append(Problem(where, f"names {parent!r}, which is a constant", "expected a parameter"))
    ordered: list[Parameter] = []
    done: set[str] = set()
    left = dict(found)
    while left:
        ready = [name for name, p in left.items() if all(parent in done or parent not in found for parent in p.when)]
        if not ready:
            problems.append(Problem("parameters", f"the conditions of {', '.join(sorted(left))} go round in a circle"))
            return []
        for name in ready:
            ordered.append(left.pop(name))
            done.add(name)
    return ordered


def _can_be(parameter: Parameter, value: Any) -> bool:
    if isinstance(parameter, Categorical):
        return any(_same(choice, value) for choice in parameter.choices)
    if isinstance(parameter, Discrete):
        return any(_same(number, value) for number in parameter.values)
    return _is_number(value, whole=isinstance(parameter, Int)) and parameter.low <= value <= parameter.high


def _range(parameter: Parameter) -> str:
    if isinstance(parameter, Categorical):
        return f"its choices are {', '.join(map(repr, parameter.choices))}"
    if isinstance(parameter, Discrete):
        return f"its values are {', '.join(map(repr, parameter.values))}"
    return f"it goes from {parameter.low} to {parameter.high}"


def _is_number(value: Any, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if whole:
        return isinstance(value, int) and abs(value) < 1 << 62
    return (isinstance(value, int) and abs(value) < 1 << 62) or math.isfinite(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of one type: 1 is neither true nor 1.0."""
    return type(one) is type(other) and bool(one == other)
