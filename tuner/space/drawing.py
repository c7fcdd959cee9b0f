"""Values of parameters without Optuna: drawn at random, or the nearest to one that is given."""

from __future__ import annotations

import bisect
import contextlib
import json
import math
import random
from collections.abc import Sequence
from typing import Any, TypeGuard

from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter, ParamValue, identity
from tuner.text import shortened

_WORDS = {"True": True, "False": False, "None": None}


def drawn(parameter: Parameter, chance: random.Random) -> ParamValue:
    """Draw a value of a parameter, each as likely as any other (in its logarithm if it has ``log``)."""
    return value_at(parameter, chance.random())


def value_at(parameter: Parameter, share: float) -> ParamValue:
    """Return the value at a share, 0 to 1, of the line on which a parameter is drawn; ``share_of`` is its inverse.

    Each of several values has its part of the line, as long as that of any other; with ``log``, in the logarithm.
    """
    if isinstance(parameter, (Categorical, Discrete)):
        values: Sequence[ParamValue] = parameter.choices if isinstance(parameter, Categorical) else parameter.values
        return values[min(int(share * len(values)), len(values) - 1)]
    low, high = line(parameter)
    if not parameter.log:
        return fitted(parameter, low + share * (high - low))
    if parameter.reverse:
        return fitted(parameter, parameter.low + parameter.high - low * (high / low) ** (1.0 - share))
    return fitted(parameter, low * (high / low) ** share)


def share_of(parameter: Parameter, value: ParamValue) -> float:
    """Return where a value stands on the line on which a parameter is drawn, 0 to 1: in the middle of its part."""
    if isinstance(parameter, Categorical):
        there = [identity(choice) for choice in parameter.choices]
        return (there.index(identity(value)) + 0.5) / len(there)
    assert isinstance(value, (int, float))
    if isinstance(parameter, Discrete):
        away = [abs(one - value) for one in parameter.values]
        return (away.index(min(away)) + 0.5) / len(away)
    low, high = line(parameter)
    if low == high:
        return 0.5
    if not parameter.log:
        return (value - low) / (high - low)
    if parameter.reverse:
        return 1.0 - math.log((parameter.low + parameter.high - value) / low) / math.log(high / low)
    return math.log(value / low) / math.log(high / low)


def line(parameter: Float | Int) -> tuple[float, float]:
    """Return between which numbers one is drawn: half a step beyond its ends, which would come half as often else."""
    half = (parameter.step or 0) / 2
    return parameter.low - half, parameter.top + half


def fitted(parameter: Float | Int, value: float) -> float | int:
    """Return the value of a number that is nearest to ``value``."""
    value, low, step = min(max(value, parameter.low), parameter.top), parameter.low, parameter.step
    if step is None:
        return value
    return min(low + int((2 * (value - low) + step) // (2 * step)) * step, parameter.top)


def as_value(parameter: Parameter, given: Any) -> ParamValue:
    """Return ``given`` as a value of a parameter: on its grid, 64.0 as the choice 64 and 0 as the choice 0.0.

    Raises:
        ValueError: It is none: of another type, out of range, between two steps, or no choice.
    """
    if isinstance(parameter, Categorical):
        return _as_choice(parameter, given)
    if not is_number(given) or not math.isfinite(given):
        raise ValueError(f"{shortened(given)} is no number{in_quotes(parameter, given)}")
    if isinstance(parameter, Discrete):
        at = bisect.bisect_left(parameter.values, given)
        for value in parameter.values[max(0, at - 1) : at + 1]:
            if math.isclose(value, given, rel_tol=1e-9):
                return value
        raise ValueError(f"{given:g} is none of {listed(parameter.values)}")
    nearest = fitted(parameter, given)
    if not parameter.low <= given <= parameter.high and not math.isclose(nearest, given, rel_tol=1e-9):
        raise ValueError(f"{given:g} is outside {parameter.low:g} to {parameter.high:g}")
    if not math.isclose(nearest, given, rel_tol=1e-9, abs_tol=1e-12):
        raise ValueError(f"{given:g} is between two steps of {parameter.step:g}")
    return float(nearest) if isinstance(parameter, Float) else nearest


def read_value(parameter: Parameter, given: Any) -> ParamValue:
    """Return a cell of a table as a value of a parameter: as ``as_value``, and text is read if it is none itself.

    Raises:
        ValueError: It is none, however it is read.
    """
    try:
        return as_value(parameter, given)
    except ValueError:
        for reading in _readings(given):
            with contextlib.suppress(ValueError):
                return as_value(parameter, reading)
        raise


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def in_quotes(parameter: Parameter, given: Any) -> str:
    """Return what to do if ``given`` is a value of the parameter but for its quotes."""
    for reading in _readings(given):
        with contextlib.suppress(ValueError):
            return f", expected {as_value(parameter, reading)!r} without quotes"
    return ""


def listed(values: Sequence[Any]) -> str:
    """Return values for a message, the first ten of many."""
    first = ", ".join(map(shortened, values[:10]))
    return first if len(values) <= 10 else f"{first} and {len(values) - 10} more"


def _as_choice(parameter: Categorical, given: Any) -> ParamValue:
    for key in (identity(given), identity(given, loose=True)):
        if key in parameter.by_identity:
            chosen: ParamValue = parameter.by_identity[key]
            return chosen
    raise ValueError(
        f"{shortened(given)} is none of the choices {listed(parameter.choices)}{in_quotes(parameter, given)}"
    )


def _readings(given: Any) -> list[Any]:
    """Return what a text may mean."""
    if not isinstance(given, str):
        return []
    if given in _WORDS:
        return [_WORDS[given]]
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        return []
    return [] if isinstance(found, str) else [found]
