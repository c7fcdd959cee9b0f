"""Starting points, each some or all of a space's parameters, with the values that the space has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.space.conditions import is_allowed, said
from tuner.space.drawing import as_value
from tuner.space.parameters import ParamValue, Space


def fitted_point(point: Mapping[str, Any], space: Space) -> tuple[dict[str, ParamValue], dict[str, str]]:
    """Return a starting point as a trial gets it, and why what is left out of it cannot be there.

    As of Optuna's ``enqueue_trial``: what a point leaves out is drawn by the sampler, and a parameter whose ``when``
    does not hold with what was drawn is passed over.

    Returns:
        Parameters to values, each one that the space has; and name to what is wrong with it.
    """
    known = space.by_name
    fitted: dict[str, ParamValue] = {}
    wrong: dict[str, str] = {}
    for name, value in point.items():
        if name in space.constants:
            wrong[name] = "is a constant, expected a parameter (remove it)"
        elif name not in known:
            wrong[name] = f"names the unknown parameter {name!r}"
        else:
            try:
                fitted[name] = as_value(known[name], value)
            except ValueError as error:
                wrong[name] = str(error)
    for name in tuple(fitted):
        for parent, allowed in known[name].when.items():
            if parent in fitted and not is_allowed(fitted[parent], allowed):
                needed, found = said(allowed), said((fitted[parent],))
                wrong[name] = f"is there if {parent} is {needed}, and this point has {found} (leave one out)"
    return {name: value for name, value in fitted.items() if name not in wrong}, wrong
