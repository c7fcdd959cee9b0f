"""What of a search space file contradicts itself across its sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tuner.config.sampler_options import METHODS, SAMPLERS, sampler_kind
from tuner.config.yaml_text import hint_at
from tuner.domain.objective import Objective
from tuner.domain.spec import SearchSettings, Simulation, TrainSettings
from tuner.errors import Problem
from tuner.schedulers import SCHEDULERS, Scheduler, scheduler_class
from tuner.space import Float, Space
from tuner.space.points import fitted_point


def check_scripted(
    train: TrainSettings, search: SearchSettings, scheduler: type[Scheduler], problems: list[Problem]
) -> None:
    """Add what contradicts itself if trials are commands."""
    missing = [f"train.{key}" for key in ("max_steps", "evaluate_every") if getattr(train, key) is None]
    if scheduler.uses_rungs and missing:
        problems.append(
            Problem(
                "search.scheduler",
                f"{search.scheduler.name} judges trials at steps from evaluate_every to max_steps, and there is no "
                f"{' and no '.join(missing)}",
                f"add it, in the steps of the command's events, or use {_those(lambda kind: not kind.uses_rungs)}",
            )
        )


def _those(fits: Callable[[type[Scheduler]], bool]) -> str:
    """Return the names of the schedulers whose facts fit, for a hint."""
    return ", ".join(name for name in SCHEDULERS if name not in METHODS and fits(scheduler_class(name)))


def read_enqueued(
    points: Sequence[Mapping[str, Any]], space: Space | None, problems: list[Problem]
) -> tuple[Mapping[str, Any], ...]:
    """Return starting points with the values that the space has; what it cannot hold goes to ``problems``.

    A space that the model defines by running is not known here: its points stay as they are.
    """
    if space is None or not (space.parameters or space.constants):
        return tuple(points)
    known = {parameter.name: parameter for parameter in space.parameters}
    names = list(known)
    found = []
    for place, point in enumerate(points):
        fitted, wrong = fitted_point(point, space)
        found.append(fitted)
        for name, why in wrong.items():
            nearest = hint_at(problems, name, names) if name not in known and name not in space.constants else ""
            problems.append(Problem(f"search.enqueue.{place}.{name}", why, nearest))
    return tuple(found)


def _repeats(search: SearchSettings, scheduler: type[Scheduler], objectives: Sequence[Objective]) -> Iterator[Problem]:
    """Yield what does not go with several seeds for each set of parameters."""
    if search.repeats == 1:
        return
    if not scheduler.goes_with_repeats:
        yield Problem(
            "search.repeats",
            f"is {search.repeats}, and scheduler {search.scheduler.name} promotes or replaces single trials, not the "
            "mean of several seeds",
            f"with repeats go {_those(lambda kind: kind.goes_with_repeats)}",
        )
    if len(objectives) > 1:
        yield Problem(
            "search.repeats",
            f"is {search.repeats}, and there are several objectives, expected one",
            "leave repeats out, or give one objective and constraints",
        )


def contradictions(
    train: TrainSettings,
    search: SearchSettings,
    scheduler: type[Scheduler],
    space: Space | None,
    objectives: Sequence[Objective],
) -> Iterator[Problem]:
    """Yield what of a search does not go together.

    Args:
        train: How long trials train.
        search: The search.
        scheduler: The class that it names.
        space: The parameters, or None if they have mistakes.
        objectives: What is optimised.
    """
    yield from _repeats(search, scheduler, objectives)
    yield from scheduler.check(search.scheduler.options, train)
    sampler = sampler_kind(search.sampler.name)
    if len(objectives) > 1 and not scheduler.goes_with_several_objectives:
        key = "method" if search.scheduler.name in METHODS else "scheduler"
        yield Problem(
            f"search.{key}",
            f"{search.scheduler.name} searches for one objective, and there are several",
            f"give one objective and constraints, or leave {key} out",
        )
    if len(objectives) > 1 and not sampler.several_objectives:
        several = ", ".join(name for name, kind in SAMPLERS.items() if kind.several_objectives)
        yield Problem(
            "search.sampler",
            f"{search.sampler.name} searches for one objective, and there are several",
            f"these take several: {several}",
        )
    if sampler.lists_values and space is not None:
        for parameter in space.parameters:
            if isinstance(parameter, Float) and parameter.step is None:
                yield Problem(
                    f"parameters.{parameter.name}",
                    f"has no step, so sampler {search.sampler.name} cannot list its values",
                    "give it a step",
                )
        yield from _partial_points(search, space)


def _partial_points(search: SearchSettings, space: Space) -> Iterator[Problem]:
    """Yield the starting points that leave parameters to a grid, which Optuna refuses when it draws."""
    for place, point in enumerate(search.enqueue):
        left_out = [parameter.name for parameter in space.parameters if parameter.name not in point]
        if left_out:
            yield Problem(
                f"search.enqueue.{place}",
                f"leaves out {', '.join(left_out)}, which sampler grid does not draw",
                "give whole points, or another sampler",
            )


def check_folders(objectives: Sequence[Objective]) -> list[Problem]:
    """Return what is wrong with the objectives of a sweep that has a model."""
    message = "is for commands, which may evaluate in several folders; a model's objective is of its EvalSpec"
    problem = Problem("objective.folder", message, "remove it")
    return [problem] if any(objective.folder for objective in objectives) else []


def check_simulation(
    simulation: Simulation | None, search: SearchSettings, scheduler: type[Scheduler]
) -> list[Problem]:
    """Return what contradicts the search."""
    if simulation is None or not simulation.curves or not scheduler.changes_parameters:
        return []
    return [
        Problem(
            "simulation.curves",
            "do not say what comes of parameters that change during training, as scheduler "
            f"{search.scheduler.name} changes them",
            "give a task instead",
        )
    ]
