"""Trials that are to run again under their numbers: which they may be."""

from __future__ import annotations

from collections.abc import Iterable

from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput, Problem
from tuner.files.driver_lock import at_work
from tuner.results import SweepResult, Trial


def trial_of(result: SweepResult, number: int) -> Trial:
    """Return a trial of a sweep.

    Raises:
        InvalidInput: It has none of that number; says which there are.
    """
    name, found = result.dir.name, {trial.number: trial for trial in result.trials}
    if number not in found:
        there = f"it has trials {min(found)} to {max(found)}" if found else "it has no trials yet"
        if len(found) == 1:
            there = f"it has trial {min(found)} alone"
        raise InvalidInput("", f"the sweep {name!r} has no trial {number}: {there}; see: tuner show {name}")
    return found[number]


def failed_trials(result: SweepResult, numbers: Iterable[int] | None = None) -> list[Trial]:
    """Return the trials that are to run again.

    Args:
        result: The sweep.
        numbers: Of those that are asked for; None for all that failed.

    Raises:
        InvalidInput: There are none, or one that is asked for has not failed.
    """
    if numbers is None:
        failed = [trial for trial in result.trials if trial.state is TrialState.FAIL]
        if not failed:
            raise _nothing(result, "no trial of it has failed")
        return failed
    chosen = [trial_of(result, number) for number in numbers]
    for trial in chosen:
        if trial.state is not TrialState.FAIL:
            raise _nothing(result, f"trial {trial.number} is {trial.state.value}")
    return chosen


def numbers_of(asked: object) -> list[int]:
    """Return the numbers of trials that a program asks for, each once.

    Raises:
        InvalidInput: It is no list of numbers.
    """
    found: list[int] = []
    for number in asked if isinstance(asked, Iterable) and not isinstance(asked, str) else [asked]:
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise InvalidInput("retry", f"found {number!r}, expected numbers of trials, as in retry=[3, 4]")
        found.append(number.__index__())
    return list(dict.fromkeys(found))


def _nothing(result: SweepResult, what: str) -> InvalidInput:
    name = result.dir.name
    found = f"the sweep {name!r}: {what}, so there is nothing to run again"
    way = "it is being worked on; watch it with: tuner watch" if at_work(result.dir) else "go on with: tuner resume"
    return InvalidInput("", [Problem("", found, f"{way} {name}")])
