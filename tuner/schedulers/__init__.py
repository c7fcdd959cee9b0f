"""Schedulers: which trials go on, pause or stop, by what they have shown so far.

A new one is a file here and a line in ``SCHEDULERS``, or a class of the user's, named ``package.module:Class``.
What others must know of it is said by its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.domain.spec import SweepSpec
from tuner.errors import InvalidInput
from tuner.schedulers.base import Begin, Exploit, Promotion, Scheduler
from tuner.user_class import Options, constructor_options, registered_class

__all__ = [
    "GIVEN",
    "SCHEDULERS",
    "Begin",
    "Exploit",
    "Promotion",
    "Scheduler",
    "make_scheduler",
    "options_of",
    "scheduler_class",
]

SCHEDULERS: Mapping[str, str] = {
    "none": "tuner.schedulers.none:NoScheduler",
    "median": "tuner.schedulers.median:MedianScheduler",
    "percentile": "tuner.schedulers.percentile:PercentileScheduler",
    "patience": "tuner.schedulers.patience:PatienceScheduler",
    "asha": "tuner.schedulers.asha:AshaScheduler",
    "asha_stopping": "tuner.schedulers.asha_stopping:StoppingAshaScheduler",
    "hyperband": "tuner.schedulers.hyperband:HyperbandScheduler",
    "pbt": "tuner.schedulers.pbt:PbtScheduler",
    "freeze_thaw": "tuner.schedulers.freeze_thaw:FreezeThawScheduler",
}
"""Name in a search space file to class; only the one that is named is imported."""

GIVEN = ("train", "space", "search", "objectives", "seed")
"""Arguments that the sweep gives to a constructor that has them; the others are options."""


def scheduler_class(name: str, import_paths: Sequence[str] = ()) -> type[Scheduler]:
    """Return the class of a scheduler.

    Args:
        name: Of the registry, or ``package.module:Class``.
        import_paths: Folders in which the user's own are looked for.

    Raises:
        InvalidInput: There is none of that name, or it is no scheduler.
    """
    return registered_class("search.scheduler", SCHEDULERS, name, Scheduler, import_paths)


def options_of(kind: type[Scheduler]) -> Options:
    """Return the options of a scheduler in a search space file, by the arguments of its constructor."""
    return constructor_options(kind, GIVEN)


def make_scheduler(spec: SweepSpec) -> Scheduler:
    """Make the scheduler that a sweep names.

    Its constructor gets the sweep's ``train``, ``space``, ``search`` settings, ``objectives`` and ``seed`` if it has
    arguments of these names, and the options of the file.

    Raises:
        InvalidInput: There is none of that name, or it does not take these options.
    """
    chosen = spec.search.scheduler
    kind = scheduler_class(chosen.name, spec.import_paths)
    wanted = constructor_options(kind)
    given = {
        "train": spec.train,
        "space": spec.space,
        "search": spec.search,
        "objectives": spec.objectives,
        "seed": spec.search.seed,
    }
    try:
        return kind(**{name: value for name, value in given.items() if name in wanted}, **chosen.options)
    except TypeError as error:
        raise InvalidInput("search.scheduler", f"{chosen.name} refuses its options: {error}") from error
