"""Which trials of many, and in which order: those for which a condition holds, sorted, the first of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from tuner.errors import InvalidInput, Problem
from tuner.results.condition import Condition, Fields
from tuner.text import suggestion

T = TypeVar("T")


def select(
    items: Sequence[T],
    fields: Callable[[T], Fields],
    ranks: Mapping[str, Callable[[T], Any]],
    where: str = "",
    sort: str = "",
    top: int | None = None,
    names: Collection[str] = (),
    choices: Mapping[str, Collection[str]] | None = None,
) -> list[T]:
    """Return the items for which ``where`` holds, sorted, the first ``top``.

    Args:
        items: As they are without being sorted.
        fields: Returns what is known of one, by name.
        ranks: Fields that have a best end (objectives), to a key by which the best come first; the first of them
            decides which are the top if ``sort`` is empty.
        where: A condition; see ``tuner.results.condition``. Empty for all.
        sort: Name of a field, or ``-`` and that: the other way round. What has no value comes last.
        top: How many at most; None for all.
        names: Names that are fields though none of the items has them.
        choices: Of fields that are one of some texts, these.

    Raises:
        InvalidInput: The condition cannot be read, or there is no such field.
    """
    found = [(item, fields(item)) for item in items]
    known = {*names, *ranks, *(name for _, own in found for name in own)} if where or sort else set()
    if where:
        condition = Condition(where, known, choices=choices)
        found = [(item, own) for item, own in found if condition.holds(own)]
    key, backwards = sort.removeprefix("-"), sort.startswith("-")
    if key and key not in known:
        hint = suggestion(key, sorted(known)) or f"fields: {', '.join(sorted(known))}"
        raise InvalidInput("--sort", [Problem("", f"{key!r} is no field of these trials", hint)])
    if not key and top is not None:
        key = next(iter(ranks))
    if key in ranks:
        found.sort(key=lambda pair: ranks[key](pair[0]), reverse=backwards)
    elif key:
        found.sort(key=lambda pair: _order(pair[1].get(key)), reverse=backwards)
    if key:
        found.sort(key=lambda pair: not _is_there(pair[1].get(key)))  # a stable sort
    return [item for item, _ in found[:top]]


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _order(value: Any) -> tuple[bool, Any]:
    """Return a key that sorts numbers by size, and all else behind them as text."""
    number = isinstance(value, (int, float))
    return not number, value if number else str(value)
