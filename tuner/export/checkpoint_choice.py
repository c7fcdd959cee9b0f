"""Which checkpoint of a trial is exported: the best by the first objective, not the last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput, Problem
from tuner.files import checkpoints
from tuner.files.driver_lock import at_work
from tuner.files.paths import SweepDir
from tuner.results import Trial


@dataclass(frozen=True)
class Choice:
    """A checkpoint.

    Attributes:
        step: Its global step.
        value: The first objective's metric, as it was evaluated there.
        note: That a better one is gone, or an empty string.
        differs: How what was evaluated there differs from the trial's objective; empty if that is its value.
    """

    step: int
    value: float
    note: str = ""
    differs: str = ""


def choose_checkpoint(sweep_dir: SweepDir, trial: Trial) -> Choice:
    """Return the checkpoint of ``trial`` with the best evaluation, the first of equals.

    One that keeps to the sweep's constraints is better than one that breaks them.

    Raises:
        InvalidInput: The trial runs, was never evaluated, or none of its evaluated checkpoints is there.
    """
    if trial.state is TrialState.RUNNING:
        hint = "wait for its end, or export another one"
        if not at_work(sweep_dir):
            hint = f"no driver is at work, so its end comes after: tuner resume {sweep_dir.name}; or export another one"
        raise InvalidInput("", [Problem("", f"trial {trial.number} is RUNNING", hint)])
    ranked = trial.ranked_steps
    if not ranked:
        why = f": {trial.record.reason}" if trial.record.reason else ""
        raise InvalidInput("", f"trial {trial.number} is {trial.state.value} and was never evaluated{why}")
    there = set(checkpoints.steps(sweep_dir.trial(trial.number).path))
    step = next((step for step in ranked if step in there), None)
    if step is None:
        gone = "" if Path(trial.trial_dir).is_dir() else ", which is not there: simulated trials train nothing"
        raise InvalidInput(
            "",
            [
                Problem(
                    "",
                    f"trial {trial.number} has no checkpoint of a step that was evaluated",
                    f"expected model.ckpt-{ranked[0]} in {trial.trial_dir}{gone}",
                )
            ],
        )
    return _choice(trial, step)


def exported_choice(sweep_dir: SweepDir, trial: Trial) -> Choice | None:
    """Return the checkpoint of ``trial`` that is exported: that of the sweep's best model, or what an export takes.

    None if there is none: the sweep runs a command, or no checkpoint of an evaluated step is there.
    """
    step = exported_step(sweep_dir, trial)
    if step in trial.record.curve:
        return _choice(trial, step)
    try:
        return choose_checkpoint(sweep_dir, trial)
    except InvalidInput:
        return None


def exported_step(sweep_dir: SweepDir, trial: Trial) -> int:
    """Return the global step at which a trial was exported as the sweep's best model; -1 if it was not."""
    try:
        marker = json.loads(sweep_dir.best_model_file.read_text(encoding="utf-8"))
        return int(marker["step"]) if marker["trial"] == trial.number else -1
    except (OSError, ValueError, TypeError, KeyError):
        return -1


def _choice(trial: Trial, step: int) -> Choice:
    best, value = trial.ranked_steps[0], trial.record.curve[step]
    gone = f"the best checkpoint, at step {best}, is gone; step {step} is the best of those that are there"
    return Choice(step, value, gone if step != best else "", _difference(trial, step, value))


def _difference(trial: Trial, step: int, value: float) -> str:
    """Say what the objective of a trial is of if it is not what was evaluated at ``step``."""
    objective = trial.objectives[0]
    of_one = objective.of.rule != "mean" or objective.of.count == 1
    if trial.value is None or (of_one and step == trial.value_step) or value == trial.value:
        return ""
    judged = f"{objective.metric} {trial.value:.6g}"
    what = f"of step {trial.value_step}"
    if not of_one:
        what = f"the mean of its last {objective.of.count} evaluations"
    return f"its {judged} is {what}; step {step} has {value:.6g}"
