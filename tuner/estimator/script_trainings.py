"""The trainings and evaluations that a script calls by itself, evaluated on the grid as ``train_and_evaluate`` is.

``estimator.train(max_steps=300)``, then ``estimator.evaluate(rows)``: on which rows to evaluate is known when
training is over, too late for a scheduler. So such a training is suspended one step after its first
checkpoint and the script goes on; its ``evaluate`` says on what, and first lets the training go on to its end, each
checkpoint evaluated so. Whatever else needs the trained model (``predict``, an export, the next ``train``, the
script's end) lets it go on as well. In a loop of both, what the round before evaluated with is known.

A script that runs again, because its trial was promoted or resumed, asks again for what was trained: ``steps``
count from the trial's beginning, ``max_steps`` of the file is the end of all, and a checkpoint that was evaluated is
not evaluated again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.domain.job import Job
from tuner.estimator.script_control import ScriptControl
from tuner.estimator.stop_control import stop_listener
from tuner.estimator.suspended import Suspended
from tuner.estimator.training_checks import TrainingProgressCheck, checkpoint_shape_hook
from tuner.events import read_all
from tuner.files.checkpoints import newest_step


@dataclass
class _Model:
    """What is known of the Estimators of one model_dir.

    Attributes:
        folder: Their model_dir.
        asked: Global step up to which the script has asked for training.
        calls: By the evaluation's name, with what it was called last.
        results: By the evaluation's name, the global step that was evaluated last, and its metrics.
        skipped: Whether the last training that the script asked for was done before.
        trained: Whether this attempt has trained.
    """

    folder: Path
    asked: int
    calls: dict[str, _Evaluation] = field(default_factory=dict)
    results: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    skipped: bool = False
    trained: bool = False

    @property
    def step(self) -> int:
        """Global step of the newest checkpoint, 0 if there is none."""
        return newest_step(self.folder) or 0


@dataclass(frozen=True)
class _Evaluation:
    """A call of ``evaluate``."""

    estimator: Any
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        return self.arguments.get("name") or ""

    @property
    def checkpoint(self) -> Any:
        """The checkpoint that the script names, or None for the newest."""
        return self.arguments.get("checkpoint_path")

    def of_newest(self) -> _Evaluation:
        """Return the same of the newest checkpoint."""
        return _Evaluation(self.estimator, {**self.arguments, "checkpoint_path": None})


class ScriptTrainings:
    """Train and evaluate in the place of a script's own calls.

    Args:
        job: Steps, how often to evaluate.
        control: When to stop.
        begin: Called with a model_dir, and whether it is to be trained, before it is used; says whether the attempt was
            given a checkpoint there.
        note: Takes what is worth knowing.
    """

    def __init__(
        self, job: Job, control: ScriptControl, begin: Callable[[str, bool], bool], note: Callable[[str], None]
    ) -> None:
        self._job = job
        self._control = control
        self._begin = begin
        self._note = note
        self._models: dict[str, _Model] = {}
        self._last: _Model | None = None
        self._suspended: Suspended | None = None

    @property
    def is_inner(self) -> bool:
        """Whether it is not the script that calls, but an Estimator at work."""
        return self._suspended is None and self._control.busy

    def train(
        self,
        original: Callable[..., Any],
        estimator: Any,
        input_fn: Any,
        hooks: Any,
        steps: int | None,
        max_steps: int | None,
        saving_listeners: Any,
    ) -> Any:
        """Train up to where the script, the file or the scheduler says, whichever comes first."""
        self.complete()
        self.leave_if_stopped()
        self._evaluate_missed(on_grid=True)
        model = self._last = self._model(estimator, trains=True)
        end = self._end(model, steps, max_steps)
        model.skipped = end is not None and model.step >= end
        if model.skipped:
            return estimator
        every = self._job.train.evaluate_every
        suspended = None
        grid = _Grid(model.step, lambda step: self._reach(model, step, suspended))
        hooks = [
            *(hooks or ()),
            checkpoint_shape_hook(estimator.model_dir),
            TrainingProgressCheck().hook(),
            grid.hook(),
        ]
        listeners = [*(saving_listeners or ()), stop_listener(self._control), grid.listener()]

        def work() -> None:
            with self._control.working():
                original(estimator, input_fn, hooks, None, end, listeners)

        if every is None or model.calls or (end is not None and end <= model.step + every):
            work()
            self._trained(model)
            return estimator
        suspended = Suspended(work)
        if suspended.start():
            self._suspended = suspended
        else:
            self._trained(model)
        return estimator

    def evaluate(self, original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate what is trained; of a training that is suspended, let it go on before."""
        bound = inspect.signature(original).bind(estimator, *args, **kwargs)
        call = _Evaluation(estimator, {key: value for key, value in bound.arguments.items() if key != "self"})
        model = self._model(estimator, trains=False)
        if self._suspended is not None and model is self._last:
            model.calls[call.name] = call.of_newest()
            if call.checkpoint is not None and str(call.checkpoint).endswith(f"model.ckpt-{model.step}"):
                call = call.of_newest()
        self.complete()
        metrics = self._known(model, call)
        if metrics is None:
            with self._control.working():
                metrics = original(estimator, **call.arguments)
        model.calls[call.name] = call.of_newest()
        if call.checkpoint is None:
            model.results[call.name] = (model.step, metrics)
        self._control.leave(False)
        return metrics

    def complete(self) -> None:
        """Let a training that is suspended go on to its end."""
        suspended, self._suspended = self._suspended, None
        if suspended is not None:
            assert self._last is not None
            suspended.finish()
            self._trained(self._last)

    def leave_if_stopped(self) -> None:
        """End the script if its trial stops here; what it has trained is evaluated before, if it is known how.

        Raises:
            TrialStopped: It does.
        """
        if self._control.stopped or self._control.request.asked:
            self._evaluate_missed()
            self._control.leave(True)

    def finish(self) -> None:
        """Do at the script's end what is still to be done."""
        self.complete()
        self._evaluate_missed()

    def _model(self, estimator: Any, trains: bool) -> _Model:
        folder = Path(estimator.model_dir)
        again = self._begin(estimator.model_dir, trains)
        known = self._models.get(str(folder))
        if known is None:
            step = newest_step(folder) or 0
            known = self._models[str(folder)] = _Model(folder, 0 if again else step)
        return known

    def _end(self, model: _Model, steps: int | None, max_steps: int | None) -> int | None:
        """Return the global step at which a training that the script asks for ends; None for its input's end."""
        limit = self._job.train.max_steps
        if steps is not None:
            model.asked += steps
            return model.asked if limit is None else min(model.asked, limit)
        if max_steps is None or limit is None or max_steps <= limit:
            return limit if max_steps is None else max_steps
        self._note(f"the command trains up to max_steps={max_steps}, the file up to {limit}, where training ends")
        return limit

    def _trained(self, model: _Model) -> None:
        model.asked = model.step  # which may be less: an input that ended
        model.trained = True

    def _reach(self, model: _Model, step: int, suspended: Suspended | None) -> None:
        """Evaluate a checkpoint after which training goes on, or first find out from the script how."""
        if self._job.train.evaluate_every is None:
            return
        if suspended is not None:
            suspended.suspend()
        self._evaluate(model, step)

    def _evaluate_missed(self, on_grid: bool = False) -> None:
        """Evaluate what was trained last if the script did not, and it is known how."""
        model, every = self._last, self._job.train.evaluate_every
        if model is not None and model.trained and every is not None and not (on_grid and model.step % every):
            self._evaluate(model, model.step)

    def _evaluate(self, model: _Model, step: int) -> None:
        """Evaluate a checkpoint as the script does."""
        checkpoint = model.folder / f"model.ckpt-{step}"
        for name, call in model.calls.items():
            if (
                model.results.get(name, (None,))[0] != step
                and checkpoint.with_suffix(f"{checkpoint.suffix}.index").exists()
            ):
                with self._control.working():
                    metrics = call.estimator.evaluate(**{**call.arguments, "checkpoint_path": str(checkpoint)})
                model.results[name] = (step, metrics)

    def _known(self, model: _Model, call: _Evaluation) -> dict[str, Any] | None:
        """Return the metrics of an evaluation that was made before, or None if it is to be made."""
        if call.checkpoint is not None or not (model.skipped or not model.trained):
            return None
        step, metrics = model.results.get(call.name, (None, {}))
        return dict(metrics) if step == model.step else _written(model, call.name)


def _written(model: _Model, name: str) -> dict[str, Any] | None:
    """Return what the event files have of an evaluation of the newest checkpoint; None if there is none."""
    import numpy as np

    folder, step = f"eval_{name}" if name else "eval", model.step
    for evaluation in read_all(model.folder) if step else ():
        if evaluation.folder == folder and evaluation.step == step:
            return {**{tag: np.float32(value) for tag, value in evaluation.scalars.items()}, "global_step": step}
    return None


class _Grid:
    """Say of each checkpoint of a training that training goes on after it, which the last one's does not.

    Args:
        begun: Global step at which the training begins, whose checkpoint does not count.
        reach: Called with the checkpoint's global step, one step after it.
    """

    def __init__(self, begun: int, reach: Callable[[int], None]) -> None:
        self._begun = begun
        self._reach = reach
        self._saved: int | None = None

    def listener(self) -> Any:
        """Make the listener that hears of checkpoints."""
        import tensorflow as tf

        grid = self

        class HearsOfCheckpoints(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
            def after_save(self, session: Any, global_step_value: int) -> None:
                del session
                if global_step_value > grid._begun:
                    grid._saved = int(global_step_value)

        return HearsOfCheckpoints()

    def hook(self) -> Any:
        """Make the hook that sees training go on."""
        import tensorflow as tf

        grid = self

        class SeesTrainingGoOn(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            def before_run(self, run_context: Any) -> None:
                del run_context
                self._before, grid._saved = grid._saved, None

            def after_run(self, run_context: Any, run_values: Any) -> None:
                del run_context, run_values
                if self._before is not None:
                    grid._reach(self._before)

        return SeesTrainingGoOn()
