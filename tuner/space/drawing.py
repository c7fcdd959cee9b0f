"""Values of parameters without Optuna: drawn at random, or the nearest to one that is given."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from tuner.space.parameters import Categorical, Discrete, Float, Int, Parameter
from tuner.values import ParamValue

_WORDS = {"True": True, "False": False, "None": None}


def drawn(parameter: Parameter, chance: random.Random) -> ParamValue:
    """Draw a value of a parameter, each as likely as any other (in its logarithm where it has ``log``)."""
    if isinstance(parameter, (Categorical, Discrete)):
        listed = parameter.choices if isinstance(parameter, Categorical) else parameter.values
        choice: ParamValue = chance.choice(listed)
        return choice
    if parameter.log:
        value = math.exp(chance.uniform(math.log(parameter.low), math.log(parameter.high)))
        return fitted(parameter, parameter.low + parameter.high - value if parameter.reverse else value)
    return fitted(parameter, chance.uniform(parameter.low, parameter.high))


def fitted(parameter: Float | Int, value: float) -> float | int:
    """Return the value of a number that is nearest to ``value``."""
    value = min(max(value, parameter.low), parameter.high)
    if isinstance(parameter, Int):
        most = (parameter.high - parameter.low) // parameter.step
        return parameter.low + min(round((value - parameter.low) / parameter.step), most) * parameter.step
    if parameter.step is None:
        return value
    most = math.floor((parameter.high - parameter.low) / parameter.step + 1e-9)
    return parameter.low + min(round((value - parameter.low) / parameter.step), most) * parameter.step


def as_value(parameter: Parameter, given: Any) -> ParamValue:
    """Return ``given`` as a value of a parameter; text, as a table has it, is read first.

    Raises:
        ValueError: It is none: of another type, out of range, between two steps, or no choice.
    """
    if isinstance(parameter, Categorical):
        return _as_choice(parameter, given)
    number = _as_number(given)
    if isinstance(parameter, Discrete):
        for value in parameter.values:
            if math.isclose(value, number, rel_tol=1e-9):
                return value
        raise ValueError(f"{number:g} is none of {', '.join(map(str, parameter.values))}")
    if not parameter.low <= number <= parameter.high:
        raise ValueError(f"{number:g} is outside {parameter.low:g} to {parameter.high:g}")
    nearest = fitted(parameter, number)
    if not math.isclose(nearest, number, rel_tol=1e-9, abs_tol=1e-12):
        raise ValueError(f"{number:g} is between two steps of {parameter.step:g}")
    return float(number) if isinstance(parameter, Float) and parameter.step is None else nearest


def _as_choice(parameter: Categorical, given: Any) -> ParamValue:
    for value in (given, *_readings(given)):
        for choice in parameter.choices:
            if type(choice) is type(value) and choice == value:
                chosen: ParamValue = choice
                return chosen
    raise ValueError(f"{given!r} is none of the choices {', '.join(map(repr, parameter.choices))}")


def _as_number(given: Any) -> float | int:
    for value in (given, *_readings(given)):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
    raise ValueError(f"{given!r} is no number")


def _readings(given: Any) -> list[Any]:
    """Return what a text may mean, and a whole float as the whole number that it is."""
    if isinstance(given, float) and given.is_integer():
        return [int(given)]
    if not isinstance(given, str):
        return []
    if given in _WORDS:
        return [_WORDS[given]]
    try:
        found = json.loads(given)
    except ValueError:
        return []
    return [found, *_readings(found)] if not isinstance(found, str) else []
