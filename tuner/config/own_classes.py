"""Classes of the user's own that a search space file names: found, of their kind, with options that they take."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence

from tuner.config.shape_checks import check_options
from tuner.domain.spec import Named
from tuner.errors import InvalidInput, Problem
from tuner.schedulers import GIVEN, Scheduler, scheduler_class
from tuner.user_class import constructor_options, is_place, load_class, required_options

# By their places: the one is in a room above this, the other in Optuna, which takes long to import.
_RECORDER = "tuner.recorders:Recorder"
_SAMPLER = "optuna.samplers:BaseSampler"


def read_scheduler(chosen: Named, import_paths: Sequence[str], problems: list[Problem]) -> type[Scheduler]:
    """Return the class of a search's scheduler; of one of the user's own the options are checked, too."""
    try:
        found = scheduler_class(chosen.name, import_paths)
    except InvalidInput as error:
        problems += _problems(error)
        return Scheduler
    if is_place(chosen.name):
        problems += _wrong_options("search.scheduler", chosen, found, GIVEN)
    return found


def check_sampler(chosen: Named, import_paths: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong with a sampler, if it is of the user's own."""
    if is_place(chosen.name):
        yield from _wrong("search.sampler", chosen, _SAMPLER, import_paths, ("seed",))


def check_recorders(recorders: Sequence[Named], import_paths: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong with recorders of the user's own."""
    for place, chosen in enumerate(recorders):
        yield from _wrong(f"record.recorders.{place}", chosen, _RECORDER, import_paths, ("sweep_files", "say"), 1)


def _wrong(
    where: str, chosen: Named, base: str, import_paths: Sequence[str], given: Sequence[str], first: int = 0
) -> Iterator[Problem]:
    """Yield what is wrong with a class and its options, which leave out the ``first`` arguments and those ``given``."""
    try:
        found = load_class(where, chosen.name, pkgutil.resolve_name(base), import_paths)
    except InvalidInput as error:
        yield from _problems(error)
        return
    yield from _wrong_options(where, chosen, found, [*list(constructor_options(found))[:first], *given])


def _wrong_options(where: str, chosen: Named, kind: type, given: Sequence[str]) -> list[Problem]:
    known, required = constructor_options(kind, given), required_options(kind, given)
    return check_options(where, chosen.name, chosen.options, known, required)


def _problems(error: InvalidInput) -> list[Problem]:
    return [Problem(error.source, problem.message, problem.hint) for problem in error.problems]
