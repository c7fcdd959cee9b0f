"""Schedulers: which trials go on, pause or stop, by what they have shown so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tuner.errors import InvalidInput
from tuner.schedulers._base import Exploit, Promotion, Scheduler
from tuner.schedulers.asha import AshaScheduler
from tuner.schedulers.asha_stopping import StoppingAshaScheduler
from tuner.schedulers.hyperband import HyperbandScheduler
from tuner.schedulers.median import MedianScheduler
from tuner.schedulers.none import NoScheduler
from tuner.schedulers.patience import PatienceScheduler
from tuner.schedulers.pbt import PbtScheduler
from tuner.spec import SweepSpec

__all__ = ["Exploit", "Promotion", "Scheduler", "make_scheduler"]


def make_scheduler(spec: SweepSpec) -> Scheduler:
    """Make the scheduler that a sweep names.

    Raises:
        InvalidInput: There is none of that name, or it does not take these options.
    """
    chosen, train = spec.search.scheduler, spec.train
    kinds: dict[str, Callable[..., Scheduler]] = {
        "none": NoScheduler,
        "median": MedianScheduler,
        "percentile": partial(MedianScheduler, percentile=25.0),
        "patience": PatienceScheduler,
        "asha": partial(AshaScheduler, train),
        "asha_stopping": partial(StoppingAshaScheduler, train),
        "hyperband": partial(HyperbandScheduler, train),
        "pbt": partial(PbtScheduler, train, spec.space, spec.search.seed),
    }
    if chosen.name not in kinds:
        raise InvalidInput("search.scheduler", f"unknown scheduler {chosen.name!r}; expected one of {', '.join(kinds)}")
    try:
        return kinds[chosen.name](**chosen.options)
    except TypeError as error:
        raise InvalidInput("search.scheduler", f"{chosen.name} refuses its options: {error}") from error
