"""One attempt of a trial in this process: a job and a folder come in, a result goes out.

Everything else that the trial has to say is in the event files that Estimator writes.
"""

from __future__ import annotations

import json
import random
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.domain.job import Job, JobResult, JobStatus, say_beginning
from tuner.domain.tags import DATASET, NOTE, SERVABLE, UNREAD
from tuner.errors import Infeasible, TunerError
from tuner.estimator.evaluation_patches import evaluation_patches
from tuner.estimator.input_checks import check_inputs
from tuner.estimator.input_position import InputPosition
from tuner.estimator.missed_evaluation import at_end, evaluate_missed_checkpoint
from tuner.estimator.stop_control import Extension, StopControl, StopRequest, stop_at_checkpoints
from tuner.estimator.training_checks import TrainingProgressCheck
from tuner.estimator.unwritten_metrics import note_unwritten_metrics
from tuner.files.checkpoints import newest_step, without_damage
from tuner.files.paths import TrialDir
from tuner.model import Specs, UserModel, build_specs, load_model, run_config
from tuner.model.dataset import write_dataset
from tuner.model.error_text import one_line
from tuner.model.estimator_specs import configured
from tuner.model.noted_params import NotedParams
from tuner.trial.misnamed import misnamed


def run_job(
    job: Job, trial_dir: TrialDir, request: StopRequest, after_evaluation: Callable[[], None] | None = None
) -> JobResult:
    """Run one attempt of a trial and leave its result in the folder; never raises for the user's faults.

    Args:
        job: What to do.
        trial_dir: The trial's folder; what former attempts left in it is gone on from.
        request: Asked while the trial runs, it stops at its next checkpoint.
        after_evaluation: Called after each evaluation was written, before the request is looked at.
    """
    control = StopControl(request, job.stop_at, after_evaluation)
    return run_and_write_result(
        job, trial_dir, trial_dir.path, lambda tags: _train_and_evaluate(job, trial_dir.path, control, tags)
    )


def run_and_write_result(
    job: Job, folder: TrialDir, model_dir: Path, work: Callable[[dict[str, str]], JobStatus]
) -> JobResult:
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
        ending, reason = JobStatus.INFEASIBLE, error.message
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        ending, reason = (
            (JobStatus.NAN if is_nan(error) else JobStatus.FAILED),
            one_line(error) + misnamed(error, list(job.params)),
        )
    result = JobResult(ending, job.attempt, newest_step(model_dir), reason, tags=tags)
    result.hidden(job.hiding()).write(folder.result_file)
    return result


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


def _train_and_evaluate(job: Job, trial_dir: Path, control: StopControl, tags: dict[str, str]) -> JobStatus:
    import tensorflow as tf
    from tensorflow_estimator.python.estimator import training

    if job.model is None:
        raise TunerError("a job without a model was given to the model runner")
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    seed_everything(job.seed)
    say_beginning(job, without_damage(trial_dir))
    wait_for_a_new_name(trial_dir)
    model = load_model(job.model)
    params = NotedParams(job.params)
    job = replace(job, params=params)
    describe_dataset(model, job, trial_dir, tags)
    estimator, specs = build(model, job, trial_dir)
    write_eval_folder(specs, trial_dir)
    for note in specs.notes:
        tf.compat.v1.logging.warning(note)
    with note_unwritten_metrics(trial_dir), check_inputs():
        evaluate_missed_checkpoint(estimator, specs, trial_dir)
    advancing = TrainingProgressCheck(specs.train.max_steps)
    extensions: list[Extension] = [advancing]
    position = None
    if job.train.checkpoint_input:
        position = InputPosition(
            trial_dir, job.train.checkpoint_input is True, specs.train.max_steps, control.would_stop
        )
        extensions.append(position)
    with stop_at_checkpoints(control, extensions), evaluation_patches(trial_dir):
        if not at_end(trial_dir, specs.train.max_steps):
            training.train_and_evaluate(estimator, specs.train, specs.eval)
            if params.unread:
                tags[UNREAD] = json.dumps(sorted(params.unread))
    if position is not None:
        position.tag(tags)
    tag(specs, tags, advancing.note, position.note if position is not None else "")
    ended = at_end(trial_dir, specs.train.max_steps)
    return JobStatus.STOPPED if control.stopped and not ended else JobStatus.FINISHED


def describe_dataset(model: UserModel, job: Job, trial_dir: Path, tags: dict[str, str]) -> None:
    """Write what the model says of its data; a mistake in that costs no trial."""
    try:
        write_dataset(model, job.params, TrialDir(trial_dir))
    except Exception as error:
        tags[DATASET] = f"not described: {one_line(error)}"


def write_eval_folder(specs: Specs, trial_dir: Path) -> None:
    """Write down which folder the trial's evaluations are in, before there is one."""
    TrialDir(trial_dir).own_evaluations_file.write_text(f"{specs.eval_folder}\n", encoding="utf-8")


def tag(specs: Specs, tags: dict[str, str], *notes: str) -> None:
    """Put what the run is to say of the specs, and of their use, into ``tags``."""
    if specs.servable:
        tags[SERVABLE] = "true"
    if said := [*specs.notes, *filter(None, notes)]:
        tags[NOTE] = "; ".join(said)


def build(model: UserModel, job: Job, trial_dir: Path) -> tuple[Any, Specs]:
    """Build the Estimator and the specs of a job."""
    config = run_config(trial_dir, job.seed, job.train, job.threads, job.task)
    estimator = model.estimator(job.params, configured(model, job.params, config))
    if estimator.config.keep_checkpoint_max:  # its own RunConfig, or the model's run_config, would delete the best
        estimator._config = estimator.config.replace(keep_checkpoint_max=0)
    return estimator, build_specs(model, job.params, job.train, estimator)


_SECONDS = re.compile(r"tfevents\.(\d+)\.")


def wait_for_a_new_name(
    trial_dir: Path, now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until a new event file would get a name that no file in the folder has."""
    found = (_SECONDS.search(file.name) for file in trial_dir.glob("**/*tfevents*"))
    newest = max((int(match[1]) for match in found if match), default=0)
    while newest and int(now()) <= newest < now() + 5:
        sleep(newest + 1 - now())
