"""What the end of an attempt means for its trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tuner.domain.job import NO_FIT, JobResult, JobStatus
from tuner.domain.tags import FORKED_FROM
from tuner.domain.trial import TrialOutcome, TrialState
from tuner.driver.running_trial import RunningTrial

LOST_LIMIT = 10  # attempts whose backend was lost, until the trial itself is held to be the cause

_PERTURBED = (
    "a parameter that pbt perturbs changes the shape of a variable; take it out of search.scheduler.perturb, "
    "or make it a constant"
)


def at_its_rung(step: int | None) -> str:
    """Return why a trial is paused that has come to a rung."""
    return f"at its rung, step {step}"


def outcome_of_end(
    running: RunningTrial, result: JobResult, damage: Sequence[str], nan: str, retries: int
) -> TrialOutcome:
    """Say what becomes of a trial whose process ended.

    Args:
        running: The trial.
        result: How its process ended.
        damage: What could not be read of its event files, a line each.
        nan: Policy for a NaN loss, ``fail`` or ``worst``.
        retries: How often a trial that failed is taken up again.
    """
    decided = running.outcome
    if damage and result.ending in (JobStatus.FINISHED, JobStatus.STOPPED) and running.step < (result.step or 0):
        # The next attempt evaluates the newest checkpoint, because it finds no evaluation of it.
        result = replace(result, ending=JobStatus.FAILED, reason=f"its last evaluation is lost: {damage[0]}", died=True)
    # A trial that finished just before it was killed for a pause evaluates its end in its next attempt, if it has one.
    if result.ending is JobStatus.FINISHED and not running.is_outcome_final:
        return outcome_of_completion(running, nan, result.reason)
    if decided is not None:
        return decided
    if result.ending is JobStatus.STOPPED:
        if running.job.stop_at is not None and (result.step or 0) >= running.job.stop_at:
            if running.was_evaluated_without_objective:
                return running.missing()
            return TrialOutcome(TrialState.PAUSED, at_its_rung(result.step))
        return TrialOutcome(TrialState.RUNNING, "stopped by a signal that did not come from tuner")
    if result.ending is JobStatus.INFEASIBLE:
        return TrialOutcome(TrialState.PRUNED, why_it_ended(result))
    if result.ending is JobStatus.NAN:
        return TrialOutcome(TrialState.COMPLETE if nan == "worst" else TrialState.FAIL, why_it_ended(result))
    if result.ending is JobStatus.LOST and running.record.times_lost < LOST_LIMIT:
        return TrialOutcome(TrialState.RUNNING, result.reason)
    if NO_FIT in result.reason and FORKED_FROM in running.record.tags:
        return TrialOutcome(TrialState.FAIL, f"{result.reason}: {_PERTURBED}")
    # An exception before the first checkpoint would recur; a process that died may survive when tried again.
    hopeless = not result.step and not result.died
    if running.record.failures < retries and not hopeless:
        return TrialOutcome(TrialState.RUNNING, result.reason)
    return TrialOutcome(TrialState.FAIL, result.reason)


def why_it_ended(result: JobResult) -> str:
    """Say why a trial's process came to no end of its training."""
    if result.ending is JobStatus.NAN:
        return "the loss became NaN"
    return f"infeasible: {result.reason}" if result.ending is JobStatus.INFEASIBLE else result.reason


def outcome_of_completion(running: RunningTrial, nan: str, remark: str) -> TrialOutcome:
    """Return what becomes of a trial that trained to its end: complete, unless its objective is missing or no number.

    Args:
        running: The trial.
        nan: Policy for an objective that is NaN or infinite, ``fail`` or ``worst``.
        remark: What its process said of its end.
    """
    values = running.values()
    if not values or any(not curve for curve in running.others.values()):
        return running.missing()
    odd = [no_number(metric, value) for metric, value in values.items() if not math.isfinite(value)]
    if odd and nan == "fail":
        return TrialOutcome(TrialState.FAIL, "; ".join(odd))
    return TrialOutcome(TrialState.COMPLETE, "; ".join(filter(None, (remark, *odd))))


def no_number(metric: str, value: float) -> str:
    """Say that an objective is no finite number, and what that means."""
    if math.isnan(value):
        return f"the objective {metric} is NaN"
    return f"the objective {metric} is {value}, which counts as NaN does"
