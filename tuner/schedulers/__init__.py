"""Schedulers: which trials go on, pause or stop, by what they have shown so far."""

from __future__ import annotations

from collections.abc import Callable

from tuner.errors import InvalidInput
from tuner.schedulers._base import Scheduler
from tuner.schedulers.median import MedianScheduler
from tuner.schedulers.none import NoScheduler
from tuner.spec import Named

__all__ = ["Scheduler", "make_scheduler"]


def make_scheduler(chosen: Named) -> Scheduler:
    """Make the scheduler that a search space file names.

    Raises:
        InvalidInput: There is none of that name, or it does not take these options.
    """
    kinds: dict[str, Callable[..., Scheduler]] = {"none": NoScheduler, "median": MedianScheduler}
    if chosen.name not in kinds:
        raise InvalidInput("search.scheduler", f"unknown scheduler {chosen.name!r}; expected one of {', '.join(kinds)}")
    try:
        return kinds[chosen.name](**chosen.options)
    except TypeError as error:
        raise InvalidInput("search.scheduler", f"{chosen.name} refuses its options: {error}") from error
