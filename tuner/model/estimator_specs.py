"""RunConfig, TrainSpec and EvalSpec of a trial, from the user's model and the search space file.

The model's own ``train_spec`` and ``eval_spec`` win over the file; what differs is returned as
notes, to be said to the user.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.domain.spec import TrainSettings
from tuner.domain.tf_cluster import Task
from tuner.errors import InvalidInput
from tuner.model.user_model import UserModel
from tuner.space.parameters import Params

_CALLER = -1  # what TensorFlow calls a session without threads of its own


@dataclass(frozen=True)
class Specs:
    """What ``train_and_evaluate`` is called with.

    Attributes:
        train: A TrainSpec.
        eval: An EvalSpec.
        notes: What the user should know of them, a line each.
        servable: Whether the model says what a server is given.
    """

    train: Any
    eval: Any
    notes: tuple[str, ...] = ()
    servable: bool = False

    @property
    def eval_folder(self) -> str:
        """The folder below the model_dir in which the evaluations are written."""
        return f"eval_{self.eval.name}" if self.eval.name else "eval"


def run_config(model_dir: Path, seed: int, train: TrainSettings, threads: int = 1, task: Task | None = None) -> Any:
    """Make the RunConfig of a trial.

    Every ``evaluate_every`` steps a checkpoint is saved, which ``train_and_evaluate`` then evaluates.
    All checkpoints are kept here; the driver thins them, because it knows the best (Estimator's own
    ``keep_checkpoint_max`` may delete it). The graph is in the trial's event file, for TensorBoard; it is
    not written again as text and beside each checkpoint, which may be larger than the model.

    Args:
        model_dir: The trial's folder.
        seed: Seeds the graph; 0 to 2**31 - 1.
        train: How long and how often.
        threads: Threads of each session, at least 1.
        task: Which task of a cluster it is for, or None; its ``TF_CONFIG`` is in the environment.
    """
    from tensorflow_estimator.python.estimator.run_config import RunConfig

    session = session_config(threads)
    if task:
        session.inter_op_parallelism_threads = threads  # its operations wait for those of other tasks
        session.device_filters.extend(task.device_filters)
    return RunConfig(
        model_dir=str(model_dir),
        tf_random_seed=seed,
        save_checkpoints_steps=train.evaluate_every,
        keep_checkpoint_max=0,
        checkpoint_save_graph_def=False,
        session_config=session,
        # A worker waits 5 s, the next one 10 s, and so on, if nobody says otherwise: a short trial would be over.
        experimental_max_worker_delay_secs=0 if task else None,
    )


def session_config(threads: int) -> Any:
    """Make the ConfigProto of a trial's sessions.

    One thread is the one that calls ``run``: handing each step to another and waiting for it takes two
    fifths of all context switches of a small model's training.

    Args:
        threads: At least 1.
    """
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto(
        allow_soft_placement=True,
        intra_op_parallelism_threads=threads,
        inter_op_parallelism_threads=threads if threads > 1 else _CALLER,
    )
    config.gpu_options.allow_growth = True
    return config


def configured(model: UserModel, params: Params, config: Any) -> Any:
    """Return the RunConfig after the model's own ``run_config(params, config)``, if it has one.

    Raises:
        InvalidInput: It returned something else, or moved the model_dir.
    """
    if model.function("run_config") is None:
        return config
    made = model.call("run_config", params, config=config)
    if not hasattr(made, "model_dir") or made.model_dir != config.model_dir:
        raise InvalidInput(
            f"model {model.ref}",
            "run_config returned something else than a RunConfig with the trial's model_dir, "
            "expected config.replace(...)",
        )
    return made


def build_specs(model: UserModel, params: Params, train: TrainSettings, estimator: Any = None) -> Specs:
    """Make TrainSpec and EvalSpec of a trial.

    The model's own ``train_spec`` and ``eval_spec`` get the trial's Estimator and its RunConfig if they take an
    ``estimator`` and a ``config``: hooks that stop early, or evaluate beside, are made of them.

    Raises:
        InvalidInput: The model's own spec is of another type.
    """
    from tensorflow_estimator.python.estimator.training import EvalSpec, TrainSpec

    notes: list[str] = []
    if model.function("train_spec"):
        train_spec = _checked(model, "train_spec", params, TrainSpec, estimator)
        if train_spec.max_steps != train.max_steps:
            notes.append(
                f"train_spec says max_steps={train_spec.max_steps}, which holds, and the file {train.max_steps}"
            )
    else:
        train_spec = TrainSpec(_input_fn(model, "train_input_fn", params, estimator), max_steps=train.max_steps)
    if model.function("eval_spec"):
        eval_spec = _checked(model, "eval_spec", params, EvalSpec, estimator)
        notes += _blind(eval_spec)
    else:
        input_fn = _input_fn(model, "eval_input_fn", params, estimator)
        eval_spec = EvalSpec(input_fn, steps=None, start_delay_secs=0, throttle_secs=0)
    servable = model.function("serving_input_receiver_fn") is not None
    if not servable and (near := model.near("serving_input_receiver_fn")):
        notes.append(f"there is {near} and no serving_input_receiver_fn: call it so, and the model can be exported")
    return Specs(train_spec, eval_spec, tuple(notes), servable)


def _input_fn(model: UserModel, name: str, params: Params, estimator: Any) -> Callable[..., Any]:
    """Return the model's input function; that of a TPUEstimator gets its batch_size among the trial's params."""
    from tensorflow_estimator.python.estimator.tpu.tpu_estimator import TPUEstimator

    if not isinstance(estimator, TPUEstimator):
        return model.bound(name, params)
    trials = params

    def input_fn(params: dict[str, Any]) -> Any:
        return model.call(name, {**trials, "batch_size": params["batch_size"]})

    return input_fn


def _checked(model: UserModel, name: str, params: Params, kind: type[Any], estimator: Any) -> Any:
    made = model.call(name, params, estimator=estimator, config=getattr(estimator, "config", None))
    if not isinstance(made, kind):
        raise InvalidInput(f"model {model.ref}", f"{name} returned {type(made).__name__}, expected a {kind.__name__}")
    return made


def _blind(eval_spec: Any) -> list[str]:
    """Say whether an EvalSpec keeps evaluations from the scheduler, and how."""
    if eval_spec.throttle_secs:
        return [
            f"eval_spec has throttle_secs={eval_spec.throttle_secs}: checkpoints sooner than that after the last "
            "evaluation are not evaluated, so the scheduler does not see them; set throttle_secs=0"
        ]
    return []
