"""The one place where Estimators of a user's script are made to behave as those of a model.

A script builds its Estimators and calls ``train_and_evaluate``, or ``train`` and ``evaluate``, by
itself. Meanwhile these are replaced (tensorflow-estimator 2.15 is the last release: what is replaced
stays as it is):

- ``Estimator.__init__``: the RunConfig gets the trial's seed and threads if the script gave none, and
  saves a checkpoint every ``train.evaluate_every`` steps if the file says so.
- ``_TrainingExecutor``, which is behind every ``train_and_evaluate``: stops at rungs and requests,
  checkpoints the position in the input, evaluates what a killed attempt left unevaluated; with
  ``evaluate_every``, each checkpoint is evaluated.
- ``Estimator.train`` and ``Estimator.evaluate``, called by the script itself: stop at the same checkpoints, are
  evaluated on the same grid, see ``script_trainings``; the next one ends the script.
- whatever else an Estimator does with what it has trained: waits until that is done.
- ``_evaluate_once``, which is behind every ``evaluate``: evaluations share a session, see ``evaluating``, and
  inputs have to be usable, see ``inputs``.

A script is ended by ``TrialStopped``, raised between these calls, never in a hook.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tuner.domain.job import Job
from tuner.domain.tags import NOTE
from tuner.estimator.evaluation_patches import evaluation_patches
from tuner.estimator.input_checks import ESTIMATOR
from tuner.estimator.input_position import InputPosition
from tuner.estimator.missed_evaluation import at_end, evaluate_missed_checkpoint
from tuner.estimator.one_task import run_configs_of_one_machine
from tuner.estimator.patch import USES, patched
from tuner.estimator.script_beginning import ScriptBeginning
from tuner.estimator.script_control import ScriptControl
from tuner.estimator.script_trainings import ScriptTrainings
from tuner.estimator.stop_control import EXECUTOR_INIT, EXECUTOR_RUN, evaluation_listener, joined, stop_listener
from tuner.estimator.training_checks import TrainingProgressCheck
from tuner.files.paths import TrialDir
from tuner.model.estimator_specs import Specs, session_config


@contextmanager
def estimators_obey(
    job: Job, trial_dir: TrialDir, control: ScriptControl, tags: dict[str, str]
) -> Iterator[ScriptedEstimators]:
    """Make the Estimators that are built and trained meanwhile obey the trial's job.

    Args:
        job: Steps, seed, threads, rung.
        trial_dir: The trial's folder.
        control: When to stop.
        tags: What is worth knowing of the script is added.

    Yields:
        To be finished at the script's end.
    """
    script = ScriptedEstimators(job, trial_dir, control, tags)
    with ExitStack() as stack:
        stack.enter_context(evaluation_patches(trial_dir.path))
        stack.enter_context(run_configs_of_one_machine())
        replacements: tuple[tuple[str, Callable[..., Any]], ...] = (
            (f"{ESTIMATOR}.__init__", script.build),
            (f"{ESTIMATOR}.train", script.train),
            (f"{ESTIMATOR}.evaluate", script.evaluate),
            *((f"{ESTIMATOR}.{name}", script.use) for name in USES),
            (EXECUTOR_INIT, script.prepare),
            (EXECUTOR_RUN, script.run),
        )
        for target, replacement in replacements:
            stack.enter_context(patched(target, "script_estimators", replacement))
        yield script


class ScriptedEstimators:
    """What replaces the methods; each gets the original first, then the object."""

    def __init__(self, job: Job, trial_dir: TrialDir, control: ScriptControl, tags: dict[str, str]) -> None:
        self._job = job
        self._control = control
        self._tags = tags
        self._notes: list[str] = []
        self._positions: dict[int, InputPosition] = {}
        self._beginning = ScriptBeginning(job, trial_dir, tags, self._note)
        self.trainings = ScriptTrainings(job, control, self._beginning.of, self._note)

    def build(
        self,
        original: Callable[..., None],
        estimator: Any,
        model_fn: Any,
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        warm_start_from: Any = None,
    ) -> None:
        """Build an Estimator with the trial's settings in its RunConfig."""
        original(estimator, model_fn, model_dir, self._configured(config), params, warm_start_from)

    def _configured(self, config: Any) -> Any:
        from tensorflow_estimator.python.estimator.run_config import RunConfig

        if config is None:
            config = RunConfig()
        if not isinstance(config, RunConfig):
            return config  # the Estimator says what is wrong with it
        changes: dict[str, Any] = {}
        if config.tf_random_seed is None:
            changes["tf_random_seed"] = self._job.seed
        if config.session_config is None:
            changes["session_config"] = session_config(self._job.threads)
        every = self._job.train.evaluate_every
        if every is not None and config.save_checkpoints_steps != every:
            changes |= {"save_checkpoints_steps": every, "save_checkpoints_secs": None}
        return config.replace(**changes)

    def prepare(
        self,
        original: Callable[..., None],
        executor: Any,
        estimator: Any,
        train_spec: Any,
        eval_spec: Any,
        train_hooks: Any = None,
        listener: Any = None,
    ) -> None:
        """Make an executor of ``train_and_evaluate`` with our listeners, and specs as the file has them."""
        listeners, hooks = [stop_listener(self._control)], [TrainingProgressCheck().hook()]
        if self._job.train.checkpoint_input:
            required = self._job.train.checkpoint_input is True
            position = InputPosition(Path(estimator.model_dir), required, stops=self._control.would_stop)
            self._positions[id(executor)] = position
            listeners.append(position.listener())
            hooks.append(position.hook())
        train_spec = joined(self._train_spec(train_spec), estimator.model_dir, hooks, listeners)
        listener = listener or evaluation_listener(self._control)
        original(executor, estimator, train_spec, self._eval_spec(eval_spec), train_hooks, listener)

    def _train_spec(self, train_spec: Any) -> Any:
        said, limit = train_spec.max_steps, self._job.train.max_steps
        if limit is None or said == limit:
            return train_spec
        if said is None:
            return train_spec._replace(max_steps=limit)
        self._note(f"TrainSpec says max_steps={said}, the file {limit}: training ends at {min(said, limit)}")
        return train_spec._replace(max_steps=min(said, limit))

    def _eval_spec(self, eval_spec: Any) -> Any:
        if self._job.train.evaluate_every is None:
            if eval_spec.throttle_secs:
                self._note(
                    f"EvalSpec has throttle_secs={eval_spec.throttle_secs}: checkpoints sooner than that after the "
                    "last evaluation are not evaluated; train.evaluate_every in the file has each evaluated"
                )
            return eval_spec
        if eval_spec.throttle_secs:
            self._note(
                f"EvalSpec has throttle_secs={eval_spec.throttle_secs}, taken as 0: each checkpoint is evaluated"
            )
        return eval_spec._replace(throttle_secs=0, start_delay_secs=0)

    def run(self, original: Callable[..., Any], executor: Any) -> Any:
        """Run ``train_and_evaluate``; if it was stopped, the script ends with it."""
        estimator, train_spec = executor._estimator, executor._train_spec
        model_dir = Path(estimator.model_dir)
        self.trainings.complete()
        self.trainings.leave_if_stopped()
        self._beginning.of(estimator.model_dir)
        with self._control.working():
            evaluate_missed_checkpoint(estimator, Specs(train_spec, executor._eval_spec), model_dir)
            made = original(executor)
        position = self._positions.pop(id(executor), None)
        if position is not None:
            position.tag(self._tags)
            if position.note:
                self._note(position.note)
        if self._control.stopped and not at_end(model_dir, train_spec.max_steps):
            self._control.leave(True)
        self._control.stopped = False
        return made

    def train(
        self,
        original: Callable[..., Any],
        estimator: Any,
        input_fn: Any,
        hooks: Any = None,
        steps: Any = None,
        max_steps: Any = None,
        saving_listeners: Any = None,
    ) -> Any:
        """Train; called by the script itself, stop at the same checkpoints."""
        both = steps is not None and max_steps is not None  # which an Estimator refuses
        train = original if self.trainings.is_inner or both else functools.partial(self.trainings.train, original)
        return train(estimator, input_fn, hooks, steps, max_steps, saving_listeners)

    def evaluate(self, original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate; called by the script itself, obey a request that came meanwhile."""
        if self.trainings.is_inner:
            return original(estimator, *args, **kwargs)
        return self.trainings.evaluate(original, estimator, *args, **kwargs)

    def use(self, original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Do whatever else needs the trained model."""
        if not self.trainings.is_inner:
            self.trainings.complete()
        return original(estimator, *args, **kwargs)

    def finish(self) -> str:
        """Do at the script's end what is left to do of what it trains; return what is remarkable about that."""
        self.trainings.finish()
        return self._beginning.remark()

    def _note(self, line: str) -> None:
        if line not in self._notes:
            self._notes.append(line)
            self._tags[NOTE] = "; ".join(self._notes)
