"""Evaluate a checkpoint that ``train_and_evaluate`` did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuner.estimator.training_checks import checkpoint_shape_hook
from tuner.files.checkpoints import newest_step
from tuner.model import Specs


def at_end(trial_dir: Path, max_steps: int | None) -> bool:
    """Whether the newest checkpoint is that of the last step."""
    step = newest_step(trial_dir)
    return max_steps is not None and step is not None and step >= max_steps


def evaluate_missed_checkpoint(estimator: Any, specs: Specs, trial_dir: Path) -> None:
    """Evaluate the newest checkpoint if a former attempt died between saving and evaluating it.

    ``train_and_evaluate`` never evaluates the checkpoint it starts from.
    """
    from tensorflow_estimator.python.estimator import training

    from tuner.events import read_all

    step = newest_step(trial_dir)
    if not step:
        return
    if any(e.step == step and e.folder == specs.eval_folder for e in read_all(trial_dir)):
        return
    checked = specs.eval._replace(hooks=(*specs.eval.hooks, checkpoint_shape_hook(estimator.model_dir)))
    evaluator = training._TrainingExecutor._Evaluator(estimator, checked, specs.train.max_steps)
    evaluator.evaluate_and_export()
