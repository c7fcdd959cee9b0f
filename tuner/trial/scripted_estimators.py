"""The one place where Estimators of a user's script are made to behave as those of a model.

A script builds its Estimators and calls ``train_and_evaluate``, or ``train`` and ``evaluate``, by
itself. Meanwhile these are replaced (tensorflow-estimator 2.15 is the last release: what is replaced
stays as it is):

- ``Estimator.__init__``: the RunConfig gets the trial's seed and threads where the script gave none, and
  saves a checkpoint every ``train.evaluate_every`` steps where the file says so.
- ``_TrainingExecutor``, which is behind every ``train_and_evaluate``: stops at rungs and requests,
  checkpoints the position in the input, evaluates what a killed life left unevaluated; with
  ``evaluate_every``, each checkpoint is evaluated.
- ``Estimator.train``, called by the script itself: stops at the same checkpoints; the next one ends the
  script.
- ``Estimator.evaluate``, called by the script itself: a request to stop is obeyed after it.
- ``_evaluate_once``, which is behind every ``evaluate``: evaluations share a session, see ``evaluating``, and
  inputs have to be usable, see ``inputs``.

A script is ended by ``TrialStopped``, raised between these calls, never in a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.jobs import Job
from tuner.task.specs import Specs, session_config
from tuner.trial.advancing import Advancing
from tuner.trial.beginning import say_beginning
from tuner.trial.checkpoints import newest_step, without_damage
from tuner.trial.evaluating import sharing_sessions
from tuner.trial.fitting import fit_hook
from tuner.trial.input_position import InputPosition
from tuner.trial.inputs import usable_inputs
from tuner.trial.readiness import known_readiness
from tuner.trial.replacing import replaced
from tuner.trial.run import at_end, evaluate_what_was_not
from tuner.trial.stopping import Control, evaluation_listener, joined, stop_listener


class TrialStopped(BaseException):
    """Ends a script that was asked to stop; no ``except Exception`` of it takes this for an error."""


@dataclass
class ScriptControl(Control):
    """When a script stops, and whether an Estimator of it is at work.

    Attributes:
        calls: How many calls of Estimators are under way.
    """

    calls: int = 0

    @property
    def busy(self) -> bool:
        """Whether an Estimator is at work, which obeys at its next checkpoint."""
        return self.calls > 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a call of an Estimator."""
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    def leave(self, stopped: bool) -> None:
        """End the script if it was asked to stop, or ``stopped``.

        Raises:
            TrialStopped: It was.
        """
        if stopped or self.request.asked:
            self.stopped = True
            raise TrialStopped


@contextmanager
def estimators_obey(job: Job, control: ScriptControl, tags: dict[str, str]) -> Iterator[None]:
    """Make the Estimators that are built and trained meanwhile obey the trial's job.

    Args:
        job: Steps, seed, threads, rung.
        control: When to stop.
        tags: What is worth knowing of the script's own specs is added.
    """
    from tensorflow_estimator.python.estimator import estimator, training

    script = _Script(job, control, tags)
    executor = training._TrainingExecutor
    with ExitStack() as stack:
        stack.enter_context(sharing_sessions())
        stack.enter_context(known_readiness())
        stack.enter_context(usable_inputs())
        stack.enter_context(replaced(estimator.Estimator, "__init__", script.build))
        stack.enter_context(replaced(estimator.Estimator, "train", script.train))
        stack.enter_context(replaced(estimator.Estimator, "evaluate", script.evaluate))
        stack.enter_context(replaced(executor, "__init__", script.prepare))
        stack.enter_context(replaced(executor, "run", script.run))
        yield


class _Script:
    """What replaces the methods; each gets the original first, then the object."""

    def __init__(self, job: Job, control: ScriptControl, tags: dict[str, str]) -> None:
        self._job = job
        self._control = control
        self._tags = tags
        self._notes: list[str] = []
        self._positions: dict[int, InputPosition] = {}
        self._begun = False

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
        listeners, hooks = [stop_listener(self._control)], [Advancing().hook()]
        if self._job.train.checkpoint_input:
            required = self._job.train.checkpoint_input is True
            position = InputPosition(Path(estimator.model_dir), required, stops=self._control.foresees)
            self._positions[id(executor)] = position
            listeners.append(position.listener())
            hooks.append(position.hook())
        train_spec = joined(self._train_spec(train_spec), estimator.model_dir, hooks, listeners)
        listener = listener or evaluation_listener(self._control)
        original(executor, estimator, train_spec, self._eval_spec(eval_spec), train_hooks, listener)

    def _train_spec(self, train_spec: Any) -> Any:
        max_steps = self._job.train.max_steps
        if max_steps is None or train_spec.max_steps == max_steps:
            return train_spec
        if train_spec.max_steps is None:
            return train_spec._replace(max_steps=max_steps)
        self._note(f"TrainSpec says max_steps={train_spec.max_steps}, which holds, and the file {max_steps}")
        return train_spec

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
        """Run ``train_and_evaluate``; where it was stopped, the script ends with it."""
        estimator, train_spec = executor._estimator, executor._train_spec
        model_dir = Path(estimator.model_dir)
        self._control.leave(self._control.stopped)
        with self._control.working():
            self._begin(model_dir)
            evaluate_what_was_not(estimator, Specs(train_spec, executor._eval_spec), model_dir)
            made = original(executor)
        position = self._positions.pop(id(executor), None)
        if position is not None:
            position.tag(self._tags)
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
        if self._control.busy:
            return original(estimator, input_fn, hooks, steps, max_steps, saving_listeners)
        self._control.leave(self._control.stopped)
        if steps is None and max_steps is None:
            max_steps = self._job.train.max_steps
        listeners = [*(saving_listeners or ()), stop_listener(self._control)]
        self._begin(Path(estimator.model_dir))
        with self._control.working():
            hooks = [*(hooks or ()), fit_hook(estimator.model_dir), Advancing().hook()]
            return original(estimator, input_fn, hooks, steps, max_steps, listeners)

    def evaluate(self, original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate; called by the script itself, obey a request that came meanwhile."""
        if self._control.busy:
            return original(estimator, *args, **kwargs)
        with self._control.working():
            made = original(estimator, *args, **kwargs)
        self._control.leave(False)
        return made

    def _begin(self, model_dir: Path) -> None:
        """Leave damaged checkpoints alone; say once from where the trial goes on."""
        step = without_damage(model_dir) if newest_step(model_dir) is not None else None
        if not self._begun:
            self._begun = True
            say_beginning(self._job, step)

    def _note(self, line: str) -> None:
        if line not in self._notes:
            self._notes.append(line)
            self._tags["tuner.note"] = "; ".join(self._notes)
