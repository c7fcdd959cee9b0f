"""The parameters of a W&B sweep as ours: constants, choices, and the distributions of numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from tuner.config.parameters import EXACT
from tuner.config.yaml_text import describe, near
from tuner.importers._fields import Fields
from tuner.importers._parameters import bounded, categorical, number

_NUMBERS = ("uniform", "q_uniform", "int_uniform")
_LOGS = ("log_uniform", "log_uniform_values", "inv_log_uniform", "inv_log_uniform_values")
_QUANTISED_LOGS = ("q_log_uniform", "q_log_uniform_values")
_NEAREST = {
    "normal": "uniform, with min and max about mu - 3 sigma and mu + 3 sigma",
    "q_normal": "q_uniform, with min and max about mu - 3 sigma and mu + 3 sigma",
    "log_normal": "log_uniform, with min and max about mu - 3 sigma and mu + 3 sigma",
    "q_log_normal": "log_uniform, with min and max about mu - 3 sigma and mu + 3 sigma",
    "beta": "uniform, with min: 0.0 and max: 1.0",
    "q_beta": "q_uniform, with min: 0.0 and max: 1.0",
}
_KNOWN = (*_NUMBERS, *_LOGS, *_QUANTISED_LOGS, *_NEAREST, "constant", "categorical", "categorical_w_probabilities")


def read_parameters(fields: Fields, prefix: str = "") -> dict[str, Any]:
    """Return parameters and constants by name; those of a nested mapping with a dot between."""
    found: dict[str, Any] = {}
    for name in fields.names():
        entry = Fields(fields.get(name), fields.place(name), fields.report)
        if "parameters" in entry:
            nested = read_parameters(entry.section("parameters"), f"{prefix}{name}.")
            if not prefix:
                fields.note(name, f"is flattened: its parameters are called {', '.join(nested)}")
            found |= nested
        else:
            found[f"{prefix}{name}"] = _parameter(entry)
        entry.finish()
    return found


def _parameter(entry: Fields) -> Any:
    distribution = entry.text("distribution") or _implied(entry)
    if distribution == "constant":
        value = entry.get("value")
        if not _is_plain(value):
            entry.refuse("value", f"found {describe(value)}", "name each of its values as a parameter of its own")
            return None
        return value
    if distribution in ("categorical", "categorical_w_probabilities"):
        return _choices(entry)
    if distribution in _NEAREST:
        for key in ("mu", "sigma", "a", "b", "q", "min", "max"):
            entry.get(key)
        entry.refuse("distribution", f"{distribution} cannot be said", f"use {_NEAREST[distribution]}")
        return None
    if distribution in _LOGS or distribution in _QUANTISED_LOGS:
        return _log(entry, distribution)
    if distribution == "q_uniform":
        return _quantised(entry)
    if distribution in _NUMBERS:
        return bounded(entry, ("min", "max"), distribution == "int_uniform")
    entry.refuse("distribution", f"unknown distribution {distribution!r}", near(distribution, _KNOWN))
    return None


def _implied(entry: Fields) -> str:
    """Return the distribution of a parameter that names none."""
    if "values" in entry:
        return "categorical_w_probabilities" if "probabilities" in entry else "categorical"
    if "min" in entry or "max" in entry:
        whole = all(isinstance(entry.get(key), int) for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    return "constant"


def _choices(entry: Fields) -> dict[str, Any] | None:
    given = entry.items("values")
    if not given:
        entry.refuse("values", "is missing or empty, expected a list")
        return None
    shares = entry.items("probabilities")
    if len({float(share) for share in shares if isinstance(share, (int, float))}) > 1:
        entry.refuse("probabilities", "cannot be said: every choice is as likely as another", "leave them out")
    bad = [item for item in given if not _is_plain(item)]
    if bad:
        entry.refuse("values", f"found {describe(bad[0])}", "expected plain values or lists of them")
        return None
    return categorical(entry, "values", given)


def _log(entry: Fields, distribution: str) -> dict[str, Any] | None:
    """Return a number on a logarithmic scale; without ``_values`` the bounds are exponents."""
    if entry.missing("min", "max"):
        return None
    low, high = entry.number("min"), entry.number("max")
    if low is None or high is None:
        return None
    if low > high:
        entry.refuse("min", f"is {low}, above max ({high})", "expected min at most max")
        return None
    if distribution.endswith("_values"):
        if low <= 0:
            entry.refuse("min", f"is {low}, and a logarithmic scale begins above 0", "raise it")
            return None
    else:
        # log(1/X) between min and max is log(X) between -max and -min.
        low, high = (-high, -low) if distribution.startswith("inv_") else (low, high)
        if high > 700 or low < -700:
            entry.refuse("max" if high > 700 else "min", "is an exponent, and the number is beyond measure")
            return None
        low, high = math.exp(low), math.exp(high)
    if distribution not in _QUANTISED_LOGS:
        return number(low, high, False, "log")
    step = entry.number("q")
    if step not in (None, 1) or round(low) < 1:
        entry.refuse("q", f"cannot be said beside {distribution}", "use q: 1 from 1 on, no q, or list the values")
        return None
    return number(round(low), round(high), True, "log")


def _quantised(entry: Fields) -> dict[str, Any] | None:
    """Return multiples of q; whole numbers if q is one, as there."""
    if entry.missing("min", "max"):
        return None
    given = entry.get("q", 1.0)
    low, high, step = entry.number("min"), entry.number("max"), entry.number("q")
    step = 1.0 if step is None else step
    if low is None or high is None:
        return None
    if step <= 0 or low > high:
        entry.refuse("q", f"found min {low}, max {high}, q {step}, expected min at most max and q above 0")
        return None
    if max(abs(low), abs(high)) / step > EXACT or not math.isfinite(float(high) - float(low)):
        entry.refuse("q", f"is {step}, and from {low} to {high} are more than {EXACT} of it, or more than can be told")
        return None
    # In decimals, as numbers are written: in binary three steps of 0.1 are 0.30000000000000004.
    low, high = (float(round(bound / step) * Decimal(str(step))) for bound in (low, high))
    if isinstance(given, int):
        return number(low, high, True, "linear", step)
    return number(low, high, False, "linear", float(step))


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, list) else not isinstance(value, dict)
