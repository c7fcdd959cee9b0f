"""Where a parameter's value stands between the bounds of the parameter."""

from __future__ import annotations

import math

from tuner.space import Categorical, Discrete, Parameter


def place(parameter: Parameter, value: float) -> float:
    """Return where a number stands between its bounds, 0 to 1; on the scale on which it is drawn.

    Raises:
        TypeError: The parameter is no number.
    """
    if isinstance(parameter, Categorical):
        raise TypeError(f"{parameter.name} is no number")
    if isinstance(parameter, Discrete):
        below = sum(one < value for one in parameter.values)
        return below / max(1, len(parameter.values) - 1)
    low, high, number = float(parameter.low), float(parameter.high), float(value)
    if high == low:
        return 0.5
    if not parameter.log:
        return (number - low) / (high - low)
    if parameter.reverse:
        number = low + high - number
    share = math.log(number / low) / math.log(high / low)
    return 1.0 - share if parameter.reverse else share
