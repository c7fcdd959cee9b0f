"""One life of a trial in this process: a job and a folder come in, a result goes out.

Everything else that the trial has to say is in the event files that Estimator writes.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.errors import Infeasible, TunerError
from tuner.jobs import Ending, Job, Result
from tuner.near import near
from tuner.paths import TrialDir
from tuner.task import Model, Specs, build_specs, load_model, run_config
from tuner.task.dataset import write_dataset
from tuner.task.faults import in_a_line
from tuner.task.specs import configured
from tuner.trial.advancing import Advancing
from tuner.trial.beginning import say_beginning
from tuner.trial.checkpoints import newest_step, without_damage
from tuner.trial.evaluating import sharing_sessions
from tuner.trial.event_names import wait_for_a_new_name
from tuner.trial.fitting import fit_hook
from tuner.trial.input_position import InputPosition
from tuner.trial.inputs import usable_inputs
from tuner.trial.readiness import known_readiness
from tuner.trial.stopping import Control, Extension, StopRequest, controlled


def run_job(
    job: Job, trial_dir: TrialDir, request: StopRequest, after_evaluation: Callable[[], None] | None = None
) -> Result:
    """Run one life of a trial and leave its result in the folder; never raises for the user's faults.

    Args:
        job: What to do.
        trial_dir: The trial's folder; what former lives left in it is gone on from.
        request: Asked while the trial runs, it stops at its next checkpoint.
        after_evaluation: Called after each evaluation was written, before the request is looked at.
    """
    control = Control(request, job.stop_at, after_evaluation)
    return concluded(
        job, trial_dir, trial_dir.path, lambda tags: _train_and_evaluate(job, trial_dir.path, control, tags)
    )


def concluded(job: Job, folder: TrialDir, model_dir: Path, work: Callable[[dict[str, str]], Ending]) -> Result:
    """Do the work of a job and leave in ``folder`` how it ended; never raises for the user's faults.

    Args:
        job: What is done.
        folder: Takes the result.
        model_dir: Where the trial's checkpoints are.
        work: Says how it ended; puts what is to be said on the run into the mapping that it is given.
    """
    tags: dict[str, str] = {}
    try:
        ending, reason = work(tags), ""
    except Infeasible as error:
        ending, reason = Ending.INFEASIBLE, error.message
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        ending, reason = (Ending.NAN if is_nan(error) else Ending.FAILED), in_a_line(error) + _misnamed(error, job)
    result = Result(ending, job.life, newest_step(model_dir), reason, tags=tags)
    result.write(folder.result_file)
    return result


def _misnamed(error: BaseException, job: Job) -> str:
    """Say which parameters there are, where the model asked for one whose name is nearly that of one of them."""
    asked = error.args[0] if isinstance(error, KeyError) and error.args else None
    if not isinstance(asked, str) or asked in job.params:
        return ""
    hint = near(asked, list(job.params))
    return f"; the parameters are {', '.join(job.params)}: {hint}" if hint else ""


def is_nan(error: BaseException) -> bool:
    """Whether an Estimator ended because its loss became NaN."""
    return type(error).__name__ == "NanLossDuringTrainingError"


def seed_everything(seed: int) -> None:
    """Seed all generators from which a graph's initial values are drawn.

    ``tf_random_seed`` alone is not enough: Keras initialisers draw from Python's ``random``.
    """
    import numpy as np
    import tensorflow as tf

    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)


def _train_and_evaluate(job: Job, trial_dir: Path, control: Control, tags: dict[str, str]) -> Ending:
    import tensorflow as tf
    from tensorflow_estimator.python.estimator import training

    if job.model is None:
        raise TunerError("a job without a model was given to the model runner")
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    seed_everything(job.seed)
    say_beginning(job, without_damage(trial_dir))
    wait_for_a_new_name(trial_dir)
    model = load_model(job.model)
    describe_dataset(model, job, trial_dir, tags)
    estimator, specs = build(model, job, trial_dir)
    say_own_evaluations(specs, trial_dir)
    for note in specs.notes:
        tf.compat.v1.logging.warning(note)
    with usable_inputs():
        evaluate_what_was_not(estimator, specs, trial_dir)
    advancing = Advancing(specs.train.max_steps)
    extensions: list[Extension] = [advancing]
    position = None
    if job.train.checkpoint_input:
        position = InputPosition(trial_dir, job.train.checkpoint_input is True, specs.train.max_steps, control.foresees)
        extensions.append(position)
    with controlled(control, extensions), sharing_sessions(), known_readiness(), usable_inputs():
        if not at_end(trial_dir, specs.train.max_steps):
            training.train_and_evaluate(estimator, specs.train, specs.eval)
    if position is not None:
        position.tag(tags)
    tag(specs, tags, advancing.note)
    ended = at_end(trial_dir, specs.train.max_steps)
    return Ending.STOPPED if control.stopped and not ended else Ending.FINISHED


def describe_dataset(model: Model, job: Job, trial_dir: Path, tags: dict[str, str]) -> None:
    """Write what the model says of its data; a mistake in that costs no trial."""
    try:
        write_dataset(model, job.params, TrialDir(trial_dir))
    except Exception as error:
        tags["tuner.dataset"] = f"not described: {in_a_line(error)}"


def say_own_evaluations(specs: Specs, trial_dir: Path) -> None:
    """Leave word of which folder the trial's evaluations are in, before there is one."""
    TrialDir(trial_dir).own_evaluations_file.write_text(f"{specs.eval_folder}\n", encoding="utf-8")


def tag(specs: Specs, tags: dict[str, str], note: str = "") -> None:
    """Put what the run is to say of the specs, and of their use, into ``tags``."""
    if specs.servable:
        tags["tuner.servable"] = "true"
    if notes := [*specs.notes, *([note] if note else [])]:
        tags["tuner.note"] = "; ".join(notes)


def build(model: Model, job: Job, trial_dir: Path) -> tuple[Any, Specs]:
    """Build the Estimator and the specs of a job."""
    config = run_config(trial_dir, job.seed, job.train, job.threads, job.task)
    estimator = model.estimator(job.params, configured(model, job.params, config))
    return estimator, build_specs(model, job.params, job.train, estimator)


def at_end(trial_dir: Path, max_steps: int | None) -> bool:
    """Whether the newest checkpoint is that of the last step."""
    step = newest_step(trial_dir)
    return max_steps is not None and step is not None and step >= max_steps


def evaluate_what_was_not(estimator: Any, specs: Specs, trial_dir: Path) -> None:
    """Evaluate the newest checkpoint if a former life died between saving and evaluating it.

    ``train_and_evaluate`` never evaluates the checkpoint it starts from.
    """
    from tensorflow_estimator.python.estimator import training

    from tuner.events import read_all

    step = newest_step(trial_dir)
    if not step:
        return
    if any(e.step == step and e.folder == specs.eval_folder for e in read_all(trial_dir)):
        return
    checked = specs.eval._replace(hooks=(*specs.eval.hooks, fit_hook(estimator.model_dir)))
    evaluator = training._TrainingExecutor._Evaluator(estimator, checked, specs.train.max_steps)
    evaluator.evaluate_and_export()
