"""The error of a trial of ``tuner.examples.housing`` on the test rows: ``python -m tuner.examples.housing FOLDER``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from tuner.errors import InvalidInput, Problem, SweepError
from tuner.estimator.install import install_estimator
from tuner.examples import housing
from tuner.export import exported_choice
from tuner.files.paths import SweepDir
from tuner.results import Trial
from tuner.sweep import Sweep

EXPECTED = "the folder of a sweep, or of one of its trials, as mlruns/sweeps/housing"
HINT = "tuner run search_spaces/housing.yaml makes one, tuner list shows those that are there"


def main(arguments: Sequence[str]) -> None:
    """Score what the command line says, or say in a line why that cannot be, with the status of ``tuner``."""
    try:
        if len(arguments) != 1:
            raise _mistake(f"found {len(arguments)} arguments, expected {EXPECTED}")
        print(score(Path(arguments[0])))  # noqa: T201
    except SweepError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)


def score(folder: Path) -> str:
    """Return the error on the test rows of a sweep's best trial, or of a trial, at the checkpoint that is exported.

    Args:
        folder: Of a sweep (``mlruns/sweeps/housing``) or of one of its trials (``.../trials/0007``).

    Raises:
        InvalidInput: It is neither, or there is nothing to evaluate.
    """
    trial, step = exported(folder)
    checkpoint = Path(trial.trial_dir) / f"model.ckpt-{step}"
    install_estimator()
    with tempfile.TemporaryDirectory() as elsewhere:  # an evaluation writes event files: the trial's stay as they are
        estimator = tf.estimator.Estimator(housing.model_fn, elsewhere, params=dict(trial.params))
        found = estimator.evaluate(housing.test_input_fn, checkpoint_path=str(checkpoint))
    errors = f"rmse {found['rmse']:.4f}, mae {found['mae']:.4f}"
    return f"trial {trial.number} at step {step}: test rows: {errors} (100,000 dollars)"


def exported(folder: Path) -> tuple[Trial, int]:
    """Return the trial that a folder stands for, and the global step of its checkpoint that is exported.

    Raises:
        InvalidInput: The folder is of no sweep, of another model's, or of a trial without a checkpoint.
    """
    path = folder.absolute()
    is_trial = path.parent.name == "trials" and path.name.isdecimal()
    sweep_dir = SweepDir(path.parents[1] if is_trial else path)
    if not sweep_dir.spec_file.is_file():
        raise _mistake(f"found {'no sweep in' if path.is_dir() else 'no folder'} {folder}, expected {EXPECTED}")
    result = Sweep.open(sweep_dir.name, sweep_dir.root.path).result()
    trial = next((t for t in result.trials if t.number == int(path.name)), None) if is_trial else result.best
    if trial is None:
        raise _mistake(f"found no trial {int(path.name)} in the sweep {sweep_dir.name}, expected {EXPECTED}")
    if not {"layers", "units", "optimizer"} <= trial.params.keys():
        raise _mistake(f"found the parameters {', '.join(trial.params)}, expected those of {housing.__name__}")
    choice = exported_choice(sweep_dir, trial)
    if choice is None:
        raise _mistake(f"trial {trial.number} is {trial.state.value} and has no checkpoint that was evaluated")
    return trial, choice.step


def _mistake(message: str) -> InvalidInput:
    return InvalidInput("", [Problem("", message, HINT)])
