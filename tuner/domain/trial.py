"""A trial: its states, evaluations and record, and what a scheduler decides.

Nothing here needs an installed package, so that every stage may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tuner.domain.tags import FEASIBLE
from tuner.space.parameters import ParamValue


class TrialState(str, Enum):
    """Where a trial stands, as users see it (the study knows fewer states)."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    INTERRUPTED = "INTERRUPTED"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"

    @property
    def is_finished(self) -> bool:
        """Whether the trial will never run again."""
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Decision(str, Enum):
    """What a scheduler says to a report."""

    CONTINUE = "go on"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class Evaluation:
    """The scalars of one event of an evaluation's event file.

    Attributes:
        step: The global step that was evaluated.
        time: When the event was written, in seconds since 1970, as the event has it.
        folder: The folder of the event file relative to the trial's, ``eval`` or ``eval_NAME``;
            an empty string for what training itself writes.
        scalars: Tag to value; each a float32 widened to a double, with the summary's own tag.
        is_secondary: Whether it is known to be another evaluation than the trial's own: of the training rows, for
            instance, by a hook of the model.
    """

    step: int
    time: float
    folder: str
    scalars: Mapping[str, float]
    is_secondary: bool = False


@dataclass(frozen=True)
class FinishedTrial:
    """A trial of another sweep, or of another tool, from which a sampler may learn.

    Attributes:
        params: Parameters and constants; values may be text, as a table has them.
        values: Metric to value: objectives, and what constraints are on.
    """

    params: Mapping[str, Any]
    values: Mapping[str, float]


@dataclass(frozen=True)
class Source:
    """Where finished trials come from.

    Attributes:
        name: As the user wrote it.
        trials: Those that are complete.
        notes: What was left out when they were read, a line each.
    """

    name: str
    trials: tuple[FinishedTrial, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialOutcome:
    """What becomes of a trial.

    Attributes:
        state: RUNNING if it is taken up again at once, from its newest checkpoint.
        reason: In one line; empty if the state says it all.
        objective_missing: Whether it failed because an objective never came.
    """

    state: TrialState
    reason: str = ""
    objective_missing: bool = False


@dataclass(frozen=True)
class TrialRecord:
    """What the study knows of a trial.

    Attributes:
        values: Objective's metric to value; empty if there is none (yet).
        curve: Global step to the first objective's value, in step order.
        others: The same of each other objective and of each metric with a constraint.
        constraints: What counts of each constraint's metric; empty before the trial is finished.
        seconds: Time its processes ran, without pauses.
        starting: Of these, from the start of each process to its first evaluation.
        trained: Global steps that its processes trained, those beyond its last report included.
        attempts: How many processes it has had.
        driver: Which driver runs it or ran it last, if several share the sweep.
        told: Whether Optuna has been told its end; not yet if a driver died in between.
        failures: How many of them died or raised.
        times_lost: How many of them their backend lost through no fault of theirs.
        stop_at: Global step at which its last process was to pause, or None for its end.
        idle_since: Since when it has no process, in seconds since 1970 by the clock that its events have; 0 if it
            has one, or if that is not known.
        tags: Tags of its run beyond the sweep's.
        memory: What the scheduler keeps with it.
    """

    number: int
    state: TrialState
    params: Mapping[str, ParamValue]
    reason: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)
    others: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    starting: float = 0.0
    trained: int = 0
    attempts: int = 0
    failures: int = 0
    times_lost: int = 0
    stop_at: int | None = None
    started: float = 0.0
    ended: float = 0.0
    idle_since: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    driver: str = ""
    told: bool = True

    @property
    def step(self) -> int | None:
        """The last global step that was reported."""
        return max(self.curve) if self.curve else None

    @property
    def feasible(self) -> bool:
        """Whether it breaks no constraint, as far as is known."""
        return self.tags.get(FEASIBLE) != "false"
