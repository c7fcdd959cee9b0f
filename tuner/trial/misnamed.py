"""Parameters that the model calls otherwise than the search space does, told from the error of a trial."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuner.text import nearest_name

_REFUSED = re.compile(r"got an unexpected keyword argument '([^']+)'")
_MISSED = re.compile(r"missing \d+ required \S+ arguments?: '([^']+)'")


def misnamed(error: BaseException, names: Sequence[str]) -> str:
    """Say which parameters there are, if a model failed as it calls one otherwise; else nothing.

    Which of two names is the misspelled one is not known, so neither is proposed. One whose condition does not hold
    is not among them.

    Args:
        error: It may be of something else: of a key that only looks like a parameter's the name has to be near.
        names: Of the trial's parameters and constants.
    """
    refused = _REFUSED.search(str(error)) if isinstance(error, TypeError) else None
    if refused is not None and refused[1] in names:
        return f"; {refused[1]!r} is a parameter of the search space: is it called so in the model?"
    asked = _asked(error, names)
    if not asked or asked in names:
        return ""
    near = nearest_name(asked, names)
    if not near and not getattr(error, "of_params", False):
        return ""
    alike = f": if {near!r} is meant, write it alike in model and search space" if near else ""
    return f"; the trial has no parameter {asked!r}, it has {', '.join(names) or 'none'}{alike}"


def _asked(error: BaseException, names: Sequence[str]) -> str:
    """Return what a model asked for that is not there: a key, an argument, an attribute of parameters; or nothing."""
    if isinstance(error, KeyError):
        return error.args[0] if error.args and isinstance(error.args[0], str) else ""
    if isinstance(error, TypeError):
        missed = _MISSED.search(str(error))
        return missed[1] if missed else ""
    if isinstance(error, AttributeError) and names and all(hasattr(error.obj, name) for name in names):
        return error.name or ""
    return ""
