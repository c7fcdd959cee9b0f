"""The ``parameters`` of a search space file: each entry a parameter or a constant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeGuard

from tuner.config.yaml_text import describe, hint_at, hint_at_bool, hint_at_number, near
from tuner.errors import Problem
from tuner.space import Categorical, Discrete, Float, Int, Parameter, Range, Space
from tuner.space.conditions import Allowed, contradictions, fitted_condition
from tuner.space.drawing import is_number
from tuner.space.parameters import Condition, identity
from tuner.text import shortened

SCALES = ("linear", "log", "reverse_log")
"""``log`` is what ``log: true`` says; ``reverse_log`` spreads out the values near ``high``."""

EXACT = 2**53
"""Beyond it a float, which samplers reckon with, is not every whole number."""

MOST_VALUES = 10_000
"""Choices or values of one parameter: each trial's record names them all."""

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
    if not isinstance(kind, str) or kind not in _KEYS:
        was = "is missing" if kind is None else f"unknown type {shortened(kind)}"
        log = " with log: true?" if "log" in str(kind).lower() else "?"
        word = "float" if kind is None and {"low", "high", "min", "max"} & entry.keys() else str(kind)
        problems.append(Problem(f"{where}.type", was, hint_at(problems, word, list(_KEYS)).replace("?", log)))
        if word == "float":
            _check_keys(word, entry, where, problems)
        return None
    before = len(problems)
    _check_keys(kind, entry, where, problems)
    when = _when(entry.get("when"), where, problems)
    if kind == "categorical":
        choices = _choices(entry.get("choices"), where, problems)
        return Categorical(name, choices, when) if len(problems) == before else None
    if kind == "discrete":
        values = _values(entry.get("values"), where, problems)
        return Discrete(name, values, when) if len(problems) == before else None
    return _number(name, kind, entry, when, where, problems)


def _check_keys(kind: str, entry: dict[str, Any], where: str, problems: list[Problem]) -> None:
    for key in entry:
        if key not in _KEYS[kind]:
            hint = hint_at(problems, str(key), list(_KEYS[kind]))
            problems.append(Problem(f"{where}.{key}", f"unknown key {shortened(key)}", hint))


def _number(
    name: str,
    kind: str,
    entry: dict[str, Any],
    when: Condition,
    where: str,
    problems: list[Problem],
) -> Parameter | None:
    before = len(problems)
    for key in ("low", "high", "step"):
        if key not in entry and key != "step":
            problems.append(Problem(f"{where}.{key}", "is missing"))
        elif key in entry and not _is_number(entry[key], whole=kind == "int"):
            expected = "a whole number" if kind == "int" else "a finite number"
            hint = hint_at_number(entry[key])
            problems.append(Problem(f"{where}.{key}", f"found {describe(entry[key])}, expected {expected}", hint))
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
    if kind == "float" and (why := _unreachable(low, high, step)):
        problems.append(Problem(where, *why))
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


def _unreachable(low: float, high: float, step: float | None) -> tuple[str, str] | None:
    """Return why floats cannot go from one bound to the other, and what to do; None if they can."""
    width = float(high) - float(low)
    if not math.isfinite(width):
        return f"goes from {low} to {high}, which is wider than the largest number", "bring the bounds nearer to 0"
    if step is not None and step > 0 and width / step > EXACT:
        return f"has more than {EXACT} steps of {step} from {low} to {high}", "make step larger, or leave it out"
    return None


def _scale(entry: dict[str, Any], where: str, problems: list[Problem]) -> str:
    log, scale = entry.get("log", False), entry.get("scale")
    if not isinstance(log, bool):
        problems.append(Problem(f"{where}.log", f"found {describe(log)}, expected true or false", hint_at_bool(log)))
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
    if not _is_short(value, where, problems):
        return ()
    bad = [item for item in value if not _is_number(item, whole=False)]
    if bad:
        hint = "type: categorical takes other values than numbers, as choices"
        problems.append(Problem(where, f"found {describe(bad[0])}, expected finite numbers", hint))
    elif any(one >= other for one, other in itertools.pairwise(value)):
        problems.append(Problem(where, f"found {describe(value)}, expected numbers in ascending order"))
    return tuple(value)


def _choices(value: Any, where: str, problems: list[Problem]) -> tuple[Any, ...]:
    where = f"{where}.choices"
    if not isinstance(value, list) or not value:
        names = isinstance(value, dict) and value and not any(value.values())  # {adam, sgd}
        hint = f"in brackets: [{', '.join(map(str, value))}]" if names else ""
        problems.append(Problem(where, f"found {describe(value)}, expected a list with at least one choice", hint))
        return ()
    if not _is_short(value, where, problems):
        return ()
    known: set[str] = set()
    for choice in value:
        if not _is_plain(choice):
            problems.append(Problem(where, f"found {describe(choice)}, expected plain values or lists of them"))
        elif (text := identity(choice)) in known:
            problems.append(Problem(where, f"{shortened(choice)} stands there twice"))
        else:
            known.add(text)
    return tuple(value)


def _is_short(values: list[Any], where: str, problems: list[Problem]) -> bool:
    if len(values) <= MOST_VALUES:
        return True
    hint = "numbers with bounds: type: int or float with low, high and step"
    problems.append(Problem(where, f"has {len(values)} entries, expected at most {MOST_VALUES}", hint))
    return False


def _when(value: Any, where: str, problems: list[Problem]) -> Condition:
    where = f"{where}.when"
    if value is None:
        return {}
    if not isinstance(value, dict) or not value:
        example = "expected a mapping as {optimizer: sgd}, {layers: [2, 3]} or {layers: {min: 2}}"
        problems.append(Problem(where, f"found {describe(value)}, {example}"))
        return {}
    found: dict[str, Allowed] = {}
    for parent, given in value.items():
        if isinstance(given, dict):
            found[str(parent)] = _range(given, f"{where}.{parent}", problems)
        elif given == []:
            problems.append(Problem(f"{where}.{parent}", "is an empty list, expected at least one value"))
        else:
            found[str(parent)] = tuple(given) if isinstance(given, list) else (given,)
    return found


def _range(given: dict[str, Any], where: str, problems: list[Problem]) -> Range:
    expected = "expected a range as {min: 2}, {max: 4} or {min: 2, max: 4}"
    if not given or not all(key in ("min", "max") for key in given):
        problems.append(Problem(where, f"found {describe(given)}, {expected}"))
        return Range()
    for key, bound in given.items():
        if not _is_number(bound, whole=False):
            problems.append(Problem(f"{where}.{key}", f"found {describe(bound)}, expected a finite number"))
            return Range()
    return Range(given.get("min"), given.get("max"))


def _ordered(found: dict[str, Parameter], entries: dict[str, Any], problems: list[Problem]) -> list[Parameter]:
    """Return the parameters so that each comes after those its condition names, conditions fitted to their values."""
    before = len(problems)
    fitted = {name: replace(p, when=_fitted(p, found, entries, problems)) for name, p in found.items()}
    parents = {name: [parent for parent in p.when if parent in found] for name, p in found.items()}
    depth: dict[str, int] = {}
    try:
        for name in TopologicalSorter(parents).static_order():
            depth[name] = 1 + max((depth[parent] for parent in parents[name]), default=-1)
    except CycleError as error:
        circle = error.args[1][:-1]
        some = f"{', '.join(circle[:10])}{' and others' if len(circle) > 10 else ''}"
        problems.append(Problem("parameters", f"the conditions of {some} go round in a circle"))
        return []
    ordered = sorted(fitted.values(), key=lambda parameter: depth[parameter.name])
    if len(problems) == before:
        problems += [Problem(f"parameters.{name}.when", why) for name, why in contradictions(ordered)]
    return ordered


def _fitted(
    parameter: Parameter, found: dict[str, Parameter], entries: dict[str, Any], problems: list[Problem]
) -> Condition:
    """Return a parameter's condition with its parents' own values; mistakes go to ``problems``."""
    where = f"parameters.{parameter.name}.when"
    fitted: dict[str, Allowed] = {}
    for parent, allowed in parameter.when.items():
        if parent not in entries:
            problems.append(
                Problem(
                    where, f"names the unknown parameter {shortened(parent)}", hint_at(problems, parent, list(entries))
                )
            )
        elif parent not in found:
            if not isinstance(entries[parent], dict):
                problems.append(Problem(where, f"names {parent!r}, which is a constant", "expected a parameter"))
            continue
        else:
            try:
                fitted[parent] = fitted_condition(found[parent], allowed)
            except ValueError as error:
                problems.append(Problem(where, str(error)))
    return fitted


def _is_number(value: Any, whole: bool) -> TypeGuard[int | float]:
    if not is_number(value):
        return False
    if isinstance(value, int):
        return abs(value) < 1 << 62
    return not whole and math.isfinite(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))
