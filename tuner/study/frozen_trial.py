"""A trial as the study knows it, read from Optuna's.

Optuna's states are fewer than ours: a trial that is paused or interrupted is RUNNING to Optuna (one
that was told cannot be opened again), and which of them it is stands in the trial's user attribute
``tuner``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.study.encoding import read

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class HeldTrial:
    """What a study holds of a trial, whoever read it.

    Attributes:
        number: Optuna's.
        state_name: Optuna's.
        kinds: Name of a parameter to its distribution; None if its value needs none to be told.
        started: In seconds since 1970, or 0.
        ended: Likewise.
    """

    number: int
    state_name: str
    params: Mapping[str, Any]
    kinds: Mapping[str, BaseDistribution | None]
    values: Sequence[float] | None
    curve: Mapping[int, float]
    user_attrs: Mapping[str, Any]
    started: float
    ended: float

    @classmethod
    def of_optuna(cls, frozen: FrozenTrial) -> HeldTrial:
        """Return what Optuna read."""
        return cls(
            frozen.number,
            frozen.state.name,
            frozen.params,
            frozen.distributions,
            frozen.values,
            frozen.intermediate_values,
            frozen.user_attrs,
            frozen.datetime_start.timestamp() if frozen.datetime_start else 0.0,
            frozen.datetime_complete.timestamp() if frozen.datetime_complete else 0.0,
        )


def number_of(trial: FrozenTrial | HeldTrial) -> int:
    """Return a trial's number: Optuna's, but of a trial that runs again the one that it had when it failed."""
    number: int = trial.user_attrs.get(ATTRIBUTE, {}).get(NUMBER, trial.number)
    return number


AnyTrial = TypeVar("AnyTrial", "FrozenTrial", HeldTrial)


def current(found: Sequence[AnyTrial]) -> list[AnyTrial]:
    """Return Optuna's trials by number, of each number the last one: those before it have failed and run again."""
    last = {number_of(trial): trial for trial in found}
    if len(last) == len(found):
        return list(found)
    return [last[number] for number in sorted(last)]


def begun(found: Sequence[HeldTrial], spec: SweepSpec) -> Iterator[TrialRecord]:
    """Yield the trials that were begun: those that wait in Optuna's queue are none yet."""
    for held in current(found):
        if held.state_name != "WAITING":
            yield record_of_held(held, spec)


def record_of(frozen: FrozenTrial, spec: SweepSpec) -> TrialRecord:
    """Return what the study knows of one of Optuna's trials."""
    return record_of_held(HeldTrial.of_optuna(frozen), spec)


def record_of_held(held: HeldTrial, spec: SweepSpec) -> TrialRecord:
    """Return what the study knows of a trial."""
    noted = held.user_attrs.get(ATTRIBUTE, {})
    state = TrialState(noted.get("state", held.state_name))
    if held.state_name in FINISHED and not state.is_finished:
        state = TrialState(held.state_name)  # a line of the journal is lost: what Optuna was told cannot go on
    values = noted.get("values") or {}
    if not values and held.values:
        values = {o.metric: value for o, value in zip(spec.objectives, held.values, strict=True)}
    return TrialRecord(
        number=number_of(held),
        state=state,
        params={
            **read(held.params, held.kinds, spec.space),
            **spec.space.constants,
            **noted.get("constants", {}),
        },
        reason=noted.get("reason", ""),
        values=values,
        curve=dict(sorted(held.curve.items())),
        others=_others(held.user_attrs),
        constraints=noted.get("constraints", {}),
        seconds=noted.get("seconds", 0.0),
        starting=noted.get("starting", 0.0),
        trained=noted.get("trained", 0),
        attempts=noted.get(KEYS["attempts"], 0),
        failures=noted.get("failures", 0),
        times_lost=noted.get(KEYS["times_lost"], 0),
        stop_at=noted.get("stop_at"),
        started=held.started,
        ended=held.ended,
        idle_since=noted.get("idle_since", 0.0),
        tags=noted.get("tags", {}),
        memory=noted.get("memory", {}),
        driver=noted.get("driver", ""),
        told=held.state_name in FINISHED or not state.is_finished,
    )


def noted_as(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a trial by the names that its attribute has for them."""
    return {KEYS.get(name, name): value for name, value in values.items()}


def anew(attributes: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the attributes of a trial that failed as those of the one that runs in its place.

    Args:
        attributes: Optuna's user attributes of the failed one.
        number: By which both are known.
    """
    noted = attributes.get(ATTRIBUTE, {})
    kept = {key: value for key, value in noted.items() if key not in ("reason", "values", "constraints", "driver")}
    fresh = noted_as({"state": TrialState.INTERRUPTED.value, "failures": 0, "times_lost": 0})
    return {**attributes, ATTRIBUTE: {**kept, NUMBER: number, **fresh}}


def _others(attributes: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return the curves that stand in attributes, in step order."""
    steps = {int(key.removeprefix(STEP)): found for key, found in attributes.items() if key.startswith(STEP)}
    curves: dict[str, dict[int, float]] = {}
    for step in sorted(steps):
        for metric, value in steps[step].items():
            curves.setdefault(metric, {})[step] = value
    return curves


FINISHED = ("COMPLETE", "PRUNED", "FAIL")

"""Optuna's states of trials that it has been told."""

KEYS = {"attempts": "lives", "times_lost": "losses"}
"""Fields of a trial that its attribute calls otherwise: by the words of the first version, whose studies are read."""

ATTRIBUTE = "tuner"

STORED = "stored"

"""In the study's, of earlier versions: the parameters of which it holds something else than their values."""

FORGOTTEN = "forgotten"

"""In the study's: numbers of trials that were deleted."""

STEP = f"{ATTRIBUTE}."

"""And a global step: attribute of a trial with what Optuna does not keep of an evaluation."""

NUMBER = "number"

"""In that of a trial in whose place a failed one runs again: the number of that one."""
