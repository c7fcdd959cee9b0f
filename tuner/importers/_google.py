"""What AI Platform's and Vertex AI's files have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuner.importers._fields import Fields

SCALES = {
    "UNIT_LINEAR_SCALE": "linear",
    "UNIT_LOG_SCALE": "log",
    "UNIT_REVERSE_LOG_SCALE": "reverse_log",
}
SAMPLERS = {"ALGORITHM_UNSPECIFIED": "tpe", "GRID_SEARCH": "grid", "RANDOM_SEARCH": "random"}
GOALS = {"GOAL_TYPE_UNSPECIFIED": "maximize", "MAXIMIZE": "maximize", "MINIMIZE": "minimize"}
_OPAQUE = frozenset({"labels", "env", "trialJobSpec"})  # mappings whose keys are the user's own


def camel(values: Any) -> Any:
    """Return values with the keys of every mapping in camel case; both cases name the same fields."""
    if isinstance(values, Mapping):
        renamed = {_camel(key): value for key, value in values.items()}
        return {key: value if key in _OPAQUE else camel(value) for key, value in renamed.items()}
    if isinstance(values, list):
        return [camel(item) for item in values]
    return values


def scale_of(fields: Fields, unspecified: str, listed: bool) -> str:
    """Return our scale of a parameter.

    Args:
        fields: The parameter.
        unspecified: The format's word for none.
        listed: Whether the parameter is a list of values, which has no scale.
    """
    word = fields.word("scaleType", [unspecified, *SCALES], unspecified)
    if listed and word != unspecified:
        fields.note("scaleType", "is not used: each of the listed values is as likely as another")
    return SCALES.get(word, "linear")


def failures(fields: Fields, key: str) -> dict[str, Any]:
    """Return our limits of failures: there the job fails at so many, here at more."""
    count = fields.whole(key)
    if not count:
        return {}
    if count < 0:
        fields.refuse(key, f"is {count}, expected at least 0")
    limits = {"max_failed_trials": count - 1}
    return {**limits, "max_consecutive_failures": count} if count > 3 else limits


def positive(fields: Fields, key: str) -> int | None:
    """Return a whole number of at least 1, or None if there is none, or a problem."""
    count = fields.whole(key)
    if count is not None and count < 1:
        fields.refuse(key, f"is {count}, expected at least 1")
        return None
    return count


def check_grid(sampler: str, parameters: Mapping[str, Mapping[str, Any]], fields: Fields) -> None:
    """Refuse a grid over a number that has no step: their grid has a size of its own, ours lists all values."""
    endless = [name for name, p in parameters.items() if p.get("type") == "float" and "step" not in p]
    if sampler == "grid" and endless:
        fields.refuse(
            "algorithm",
            f"is a grid, and {', '.join(endless)} has no finite list of values",
            "make it discrete, or take random search or the default",
        )


def _camel(key: Any) -> Any:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), key) if isinstance(key, str) else key
