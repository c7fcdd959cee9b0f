"""One attempt of one task: a job and a folder come in, a result goes out.

The chief's result is the trial's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.domain.job import Job, JobResult, JobStatus, say_beginning
from tuner.domain.tf_cluster import Kind, Task
from tuner.errors import TrialError
from tuner.estimator.evaluation_patches import evaluation_patches
from tuner.estimator.missed_evaluation import at_end
from tuner.estimator.session_wait import sessions_looked_for
from tuner.estimator.stop_control import StopControl, StopRequest, stop_at_checkpoints
from tuner.files.checkpoints import without_damage
from tuner.files.paths import TrialDir
from tuner.model import Specs, load_model
from tuner.trial.run import (
    build,
    describe_dataset,
    run_and_write_result,
    seed_everything,
    tag,
    wait_for_a_new_name,
    write_eval_folder,
)
from tuner.trial.tf_cluster.gate import StepGate
from tuner.trial.tf_cluster.gate_server import GateClient, GateServer
from tuner.trial.tf_cluster.hooks import Chief, TrainingIsOver, Worker, evaluate_each_once


def run_task(job: Job, task: Task, folder: TrialDir, request: StopRequest) -> JobResult:
    """Run one attempt of a task and leave its result in its folder; never raises for the user's faults.

    Args:
        job: What the trial does.
        task: Which task this is.
        folder: The task's own folder: the trial's if it is the chief, else one below it.
        request: Asked while it runs, the chief stops at its next checkpoint and the others when it is done.
    """
    model_dir = folder.path if task.name.kind is Kind.CHIEF else folder.path.parents[1]
    work = {Kind.CHIEF: _lead, Kind.WORKER: _help, Kind.PS: _hold, Kind.EVALUATOR: _evaluate}[task.name.kind]
    return run_and_write_result(job, folder, model_dir, lambda tags: work(job, task, model_dir, request, tags))


def _lead(job: Job, task: Task, model_dir: Path, request: StopRequest, tags: dict[str, str]) -> JobStatus:
    say_beginning(job, without_damage(model_dir))
    wait_for_a_new_name(model_dir)
    estimator, specs = _built(job, task, model_dir, tags)
    write_eval_folder(specs, model_dir)
    last = specs.train.max_steps
    gate = StepGate(job.train.every, last)
    GateServer(gate, task.gate, task.secret)  # the others wait for it: the checkpoints are in order now
    control = StopControl(request, job.stop_at)
    try:
        with stop_at_checkpoints(control, [Chief(gate, control, model_dir, specs.eval_folder, last)]):
            if not at_end(model_dir, last):
                _train_and_evaluate(estimator, specs)
    finally:
        gate.close()
    tag(specs, tags)
    return JobStatus.STOPPED if control.stopped and not at_end(model_dir, last) else JobStatus.FINISHED


def _help(job: Job, task: Task, model_dir: Path, request: StopRequest, tags: dict[str, str]) -> JobStatus:
    client = GateClient(task.gate, str(task.name), _ends(job, model_dir, request), task.secret)
    client.connect()
    estimator, specs = _built(job, task, model_dir, tags)
    # Workers end when their chief says so: their own control stops nothing.
    helping = stop_at_checkpoints(StopControl(StopRequest()), [Worker(client)])
    with contextlib.suppress(TrainingIsOver), sessions_looked_for(every_s=1), helping:
        _train_and_evaluate(estimator, specs)
    return JobStatus.STOPPED if request.asked else JobStatus.FINISHED


def _hold(job: Job, task: Task, model_dir: Path, request: StopRequest, tags: dict[str, str]) -> JobStatus:
    del request  # a ps ends when it is killed
    _train_and_evaluate(*_built(job, task, model_dir, tags))
    return JobStatus.FINISHED


def _evaluate(job: Job, task: Task, model_dir: Path, request: StopRequest, tags: dict[str, str]) -> JobStatus:
    ends = _ends(job, model_dir, request)
    GateClient(task.gate, str(task.name), ends, task.secret).connect()
    wait_for_a_new_name(model_dir)
    estimator, specs = _built(job, task, model_dir, tags)
    listener = evaluate_each_once(model_dir, specs.eval_folder, ends)
    with stop_at_checkpoints(StopControl(request), evaluations=listener), evaluation_patches(model_dir):
        _train_and_evaluate(estimator, specs)
    return JobStatus.STOPPED if request.asked else JobStatus.FINISHED


def _ends(job: Job, model_dir: Path, request: StopRequest) -> Callable[[], bool]:
    """Return what says whether a task other than the chief is to end: it is asked to, and the chief is done.

    A signal to all processes asks all at once, and the checkpoint at which the chief stops is still to be evaluated.
    """
    of_chief = TrialDir(model_dir).result_file
    return lambda: request.asked and JobResult.read(of_chief, job.attempt) is not None


def _built(job: Job, task: Task, model_dir: Path, tags: dict[str, str]) -> tuple[Any, Specs]:
    """Build the Estimator and the specs of a task, which finds its cluster in the environment."""
    import tensorflow as tf

    if job.model is None:
        raise TrialError("a task without a model was given to the task runner")
    os.environ["TF_CONFIG"] = task.tf_config
    os.environ["TF_GRPC_REUSE_PORT"] = "1"  # the backend holds the ports for us
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    seed_everything(job.seed)
    model = load_model(job.model)
    if task.name.kind is Kind.CHIEF:
        describe_dataset(model, job, model_dir, tags)
    estimator, specs = build(model, job, model_dir)
    if estimator.config.train_distribute is not None:
        raise TrialError(
            "run_config sets train_distribute, and the trial is a cluster whose workers and ps train asynchronously: "
            "expected one of the two; leave cluster out of the file for several devices of one host"
        )
    specs = _with_each_evaluated(specs)
    for note in specs.notes:
        tf.compat.v1.logging.warning(note)
    return estimator, specs


def _with_each_evaluated(specs: Specs) -> Specs:
    """Return specs by which the evaluator evaluates every checkpoint: the chief waits for it."""
    if not specs.eval.throttle_secs and not specs.eval.start_delay_secs:
        return specs
    notes = [note for note in specs.notes if "throttle_secs" not in note]
    notes.append("eval_spec's throttle_secs and start_delay_secs are taken as 0: each checkpoint is evaluated")
    return replace(specs, eval=specs.eval._replace(throttle_secs=0, start_delay_secs=0), notes=tuple(notes))


def _train_and_evaluate(estimator: Any, specs: Specs) -> None:
    from tensorflow_estimator.python.estimator import training

    training.train_and_evaluate(estimator, specs.train, specs.eval)
