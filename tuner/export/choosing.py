"""Which checkpoint of a trial is exported: the best by the objective, not the last."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.errors import InvalidInput, Problem
from tuner.paths import SweepDir
from tuner.ranking import ranked_steps
from tuner.results import Trial
from tuner.trial import checkpoints
from tuner.values import TrialState


@dataclass(frozen=True)
class Choice:
    """A checkpoint.

    Attributes:
        step: Its global step.
        value: The first objective's metric, as it was evaluated there.
        note: What the user should know of it, or an empty string.
    """

    step: int
    value: float
    note: str = ""


def choose_checkpoint(sweep_dir: SweepDir, trial: Trial) -> Choice:
    """Return the checkpoint of ``trial`` with the best evaluation, the first of equals.

    Raises:
        InvalidInput: The trial runs, was never evaluated, or none of its evaluated checkpoints is there.
    """
    if trial.state is TrialState.RUNNING:
        raise InvalidInput(
            "", [Problem("", f"trial {trial.number} is RUNNING", "wait for its end, or export another one")]
        )
    goal, curve = trial.objectives[0].goal, trial.record.curve
    if not curve:
        why = f": {trial.record.reason}" if trial.record.reason else ""
        raise InvalidInput("", f"trial {trial.number} is {trial.state.value} and was never evaluated{why}")
    there = set(checkpoints.steps(sweep_dir.trial(trial.number).path))
    ranked = ranked_steps(curve, goal)
    kept = [step for step in ranked if step in there]
    if not kept:
        raise InvalidInput(
            "",
            [
                Problem(
                    "",
                    f"trial {trial.number} has no checkpoint of a step that was evaluated",
                    f"expected model.ckpt-{ranked[0]} in {trial.trial_dir}",
                )
            ],
        )
    note = ""
    if kept[0] != ranked[0]:
        note = f"the best checkpoint, at step {ranked[0]}, is gone; step {kept[0]} is the best of those that are there"
    return Choice(kept[0], curve[kept[0]], note)
