"""A trial as the study knows it, read from Optuna's.

Optuna's states are fewer than ours: a trial that is paused or interrupted is RUNNING to Optuna (one
that was told cannot be opened again), and which of them it is stands in the trial's user attribute
``tuner``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuner.space.sampling import decode
from tuner.spec import SweepSpec
from tuner.study.attribute import ATTRIBUTE, STEP
from tuner.values import ParamValue, TrialState

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEASIBLE = "tuner.feasible"  # tag of a settled trial of a sweep with constraints: true or false


@dataclass(frozen=True)
class TrialRecord:
    """What the study knows of a trial.

    Attributes:
        values: Objective's metric to value; empty where there is none (yet).
        curve: Global step to the first objective's value, in step order.
        others: The same of each other objective and of each metric with a constraint.
        constraints: What counts of each constraint's metric; empty before the trial is settled.
        seconds: Time its processes ran, without pauses.
        trained: Global steps that its processes trained, those beyond its last report included.
        lives: How many processes it has had.
        driver: Which driver runs it or ran it last, where several share the sweep.
        told: Whether Optuna has been told its end; not yet where a driver died in between.
        failures: How many of them died or raised.
        losses: How many of them their backend lost through no fault of theirs.
        stop_at: Global step at which its last process was to pause, or None for its end.
        tags: Tags of its run beyond the sweep's.
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
    trained: int = 0
    lives: int = 0
    failures: int = 0
    losses: int = 0
    stop_at: int | None = None
    started: float = 0.0
    ended: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)
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


def begun(found: Sequence[FrozenTrial], spec: SweepSpec) -> Iterator[TrialRecord]:
    """Yield the trials that were begun: those that wait in Optuna's queue are none yet."""
    for frozen in found:
        if frozen.state.name != "WAITING":
            yield record_of(frozen, spec)


def record_of(frozen: FrozenTrial, spec: SweepSpec) -> TrialRecord:
    """Return what the study knows of one of Optuna's trials."""
    noted = frozen.user_attrs.get(ATTRIBUTE, {})
    state = TrialState(noted.get("state", frozen.state.name))
    values = noted.get("values") or {}
    if not values and frozen.values:
        values = {o.metric: value for o, value in zip(spec.objectives, frozen.values, strict=True)}
    return TrialRecord(
        number=frozen.number,
        state=state,
        params={**decode(frozen.params, spec.space), **spec.space.constants, **noted.get("constants", {})},
        reason=noted.get("reason", ""),
        values=values,
        curve=dict(sorted(frozen.intermediate_values.items())),
        others=_others(frozen),
        constraints=noted.get("constraints", {}),
        seconds=noted.get("seconds", 0.0),
        trained=noted.get("trained", 0),
        lives=noted.get("lives", 0),
        failures=noted.get("failures", 0),
        losses=noted.get("losses", 0),
        stop_at=noted.get("stop_at"),
        started=frozen.datetime_start.timestamp() if frozen.datetime_start else 0.0,
        ended=frozen.datetime_complete.timestamp() if frozen.datetime_complete else 0.0,
        tags=noted.get("tags", {}),
        driver=noted.get("driver", ""),
        told=frozen.state.is_finished() or not state.settled,
    )


def _others(frozen: FrozenTrial) -> dict[str, dict[int, float]]:
    """Return the curves that stand in attributes, in step order."""
    steps = {int(key.removeprefix(STEP)): found for key, found in frozen.user_attrs.items() if key.startswith(STEP)}
    curves: dict[str, dict[int, float]] = {}
    for step in sorted(steps):
        for metric, value in steps[step].items():
            curves.setdefault(metric, {})[step] = value
    return curves
