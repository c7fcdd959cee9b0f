"""Parameters of our file, made and checked from what a foreign file says of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tuner.config.yaml_text import describe
from tuner.importers._fields import Fields, as_number, as_whole
from tuner.space.parameters import identity


def bounded(
    fields: Fields,
    keys: tuple[str, str],
    whole: bool,
    scale: str = "linear",
    step: float | int | None = None,
) -> dict[str, Any] | None:
    """Return a float or int parameter, or None if there is a problem.

    Args:
        fields: The mapping with the bounds.
        keys: Of its lower and its upper bound.
        whole: Whether it is an int.
        scale: ``linear``, ``log`` or ``reverse_log``.
        step: Distance between two values, or None.
    """
    low_key, high_key = keys
    if fields.missing(low_key, high_key):
        return None
    read = fields.whole if whole else fields.number
    low, high = read(low_key), read(high_key)
    if low is None or high is None:
        return None
    if low > high:
        fields.refuse(low_key, f"is {low}, above {high_key} ({high})", f"expected {low_key} at most {high_key}")
        return None
    if scale != "linear" and low <= 0:
        fields.refuse(low_key, f"is {low}, and a logarithmic scale begins above 0", "raise it, or use a linear scale")
        return None
    return number(low, high, whole, scale, step)


def number(low: float, high: float, whole: bool, scale: str, step: float | int | None = None) -> dict[str, Any]:
    """Return a float or int parameter of our file."""
    if whole:
        found: dict[str, Any] = {"type": "int", "low": int(low), "high": int(high)}
    else:
        found = {"type": "float", "low": float(low), "high": float(high)}
    if scale == "log":
        found["log"] = True
    elif scale != "linear":
        found["scale"] = scale
    if step is not None and not (whole and step == 1):
        found["step"] = step
    return found


def discrete(fields: Fields, key: str, most: int | None = None) -> dict[str, Any] | None:
    """Return a parameter of ascending numbers, or None if there is a problem."""
    given = fields.items(key)
    if not given:
        fields.refuse(key, "is missing or empty, expected a list of numbers")
        return None
    values = [as_number(item) for item in given]
    bad = [item for item, value in zip(given, values, strict=True) if value is None]
    if bad:
        fields.refuse(key, f"found {describe(bad[0])}, expected finite numbers")
        return None
    numbers = [value for value in values if value is not None]
    if any(one >= other for one, other in itertools.pairwise(numbers)):
        fields.refuse(key, f"found {describe(given)}, expected numbers in ascending order, each once")
        return None
    if most is not None and len(numbers) > most:
        fields.refuse(key, f"has {len(numbers)} numbers, expected at most {most}")
        return None
    return {"type": "discrete", "values": _alike(numbers)}


def texts(fields: Fields, key: str) -> dict[str, Any] | None:
    """Return a parameter of words, or None if there is a problem; numbers are words as they are written."""
    given = fields.items(key)
    if not given:
        fields.refuse(key, "is missing or empty, expected a list")
        return None
    words = []
    for item in given:
        if isinstance(item, bool):
            words.append(str(item).lower())
            fields.note(key, f"holds {words[-1]} without quotes, which is taken as the word {words[-1]!r}")
        elif isinstance(item, (str, int, float)):
            words.append(str(item))
        else:
            fields.refuse(key, f"found {describe(item)}, expected words")
            return None
    return categorical(fields, key, words)


def categorical(fields: Fields, key: str, choices: Sequence[Any]) -> dict[str, Any] | None:
    """Return a parameter of choices, or None if one stands there twice."""
    counts = Counter(map(identity, choices))
    twice = [choice for choice in choices if counts[identity(choice)] > 1]
    if twice:
        fields.refuse(key, f"holds {twice[0]!r} twice", "a choice cannot be made likelier than another")
        return None
    return {"type": "categorical", "choices": list(choices)}


def _alike(numbers: Sequence[float | int]) -> list[float | int]:
    """Return whole numbers as ints if all are whole, else all as floats."""
    whole = [as_whole(value) for value in numbers]
    return [w for w in whole if w is not None] if None not in whole else [float(value) for value in numbers]
