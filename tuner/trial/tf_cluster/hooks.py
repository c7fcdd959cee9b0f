"""What the tasks of a cluster do within ``train_and_evaluate`` so that a trial is as one in one process.

The chief and the workers take steps when the gate lets them; the chief waits at each checkpoint until the
evaluator has evaluated it; the evaluator looks at a checkpoint once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.errors import TrialError
from tuner.estimator.stop_control import StopControl
from tuner.events import Follower, read_all
from tuner.files.checkpoints import newest_step
from tuner.trial.tf_cluster.gate import StepGate
from tuner.trial.tf_cluster.gate_server import GateClient

_TICK_S = 0.05  # how often event files and the state of checkpoints are looked at


class Chief:
    """What takes part in the chief's training.

    Args:
        gate: Lets the chief and its workers step.
        control: When the trial stops.
        model_dir: The trial's folder.
        folder: In which the evaluator writes, below ``model_dir``.
        last: Global step at which training ends, or None.
    """

    def __init__(self, gate: StepGate, control: StopControl, model_dir: Path, folder: str, last: int | None) -> None:
        self._gate = gate
        self._last = last
        self._control = control
        self._folder = folder
        self._follower = Follower(model_dir)
        self._evaluated: set[int] = set()

    def listener(self) -> Any:
        """Make the listener that waits for the evaluation of what was saved, then says stop or not."""
        import tensorflow as tf

        chief = self

        class WaitForEvaluation(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
            def after_save(self, session: Any, global_step_value: int) -> bool:
                del session
                chief._gate.saved(int(global_step_value))
                chief._wait_for(int(global_step_value))
                return chief._control.stops(int(global_step_value))

        return WaitForEvaluation()

    def hook(self) -> Any:
        """Make the hook that asks the gate."""
        import tensorflow as tf

        gate = self._gate

        class AskGate(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            def begin(self) -> None:
                _refuse_synchronous()
                self._step = tf.compat.v1.train.get_global_step()

            def after_create_session(self, session: Any, coord: Any) -> None:
                del coord
                gate.begin(lambda: int(session.run(self._step)))

            def before_run(self, run_context: Any) -> None:
                gate.chief_may_step(lambda: int(run_context.session.run(self._step)))

            def after_run(self, run_context: Any, run_values: Any) -> None:
                del run_values
                if run_context.stop_requested:  # no worker may step beyond the checkpoint at which training stops
                    gate.close()
                gate.chief_stepped()

            def end(self, session: Any) -> None:
                del session
                gate.close()

        return AskGate()

    def _wait_for(self, step: int) -> None:
        """Wait until the checkpoint at ``step`` was evaluated; what training begins with is not evaluated."""
        while step and self._last not in self._evaluated:  # which is the evaluator's own end
            self._evaluated |= {e.step for e in self._follower.poll() if e.folder == self._folder}
            if step in self._evaluated:
                return
            time.sleep(_TICK_S)


def _refuse_synchronous() -> None:
    """Raise if the graph trains in step with the others, who then wait for steps that nobody may take."""
    import tensorflow as tf

    if any("sync_rep_local_step" in variable.op.name for variable in tf.compat.v1.local_variables()):
        raise TrialError(
            "model_fn uses SyncReplicasOptimizer, whose steps take all workers at once, and the tasks of a cluster "
            "take theirs one by one: expected an optimizer that trains asynchronously"
        )


class TrainingIsOver(Exception):
    """Training ended before this worker had a session."""


class Worker:
    """What takes part in a worker's training: it begins after the chief, and steps when the chief's gate lets it."""

    def __init__(self, client: GateClient) -> None:
        self._client = client

    def listener(self) -> Any:
        """Make a listener that does nothing: a worker saves nothing."""
        import tensorflow as tf

        return tf.compat.v1.train.CheckpointSaverListener()

    def hook(self) -> Any:
        """Make the hook that asks."""
        import tensorflow as tf

        client = self._client

        class AskGate(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            def begin(self) -> None:
                if not client.begun():
                    raise TrainingIsOver

            def after_create_session(self, session: Any, coord: Any) -> None:
                del session, coord
                client.connect()  # anew after a session was lost: what it was given is given back

            def before_run(self, run_context: Any) -> None:
                del run_context
                if not client.may_step():
                    # As at the end of the input: hooks end, and the step is not taken.
                    raise tf.errors.OutOfRangeError(None, None, "training is over")

            def after_run(self, run_context: Any, run_values: Any) -> None:
                del run_context, run_values
                client.stepped()

        return AskGate()


def evaluate_each_once(model_dir: Path, folder: str, ends: Callable[[], bool]) -> Any:
    """Make the listener of an evaluator that waits for checkpoints without evaluations until it is to end.

    Without it the evaluator looks for a new checkpoint without a pause, evaluates the one that training
    begins with, and, restarted, what was evaluated.
    """
    from tensorflow_estimator.python.estimator import training

    evaluated = {0} | {e.step for e in read_all(model_dir) if e.folder == folder}

    class EachOnce(training._ContinuousEvalListener):  # type: ignore[misc]
        def before_eval(self) -> bool:
            while (step := newest_step(model_dir)) is None or step in evaluated:
                if ends():
                    return False
                time.sleep(_TICK_S)
            return True

        def after_eval(self, eval_result: Any) -> bool:
            if eval_result.metrics is not None:
                evaluated.add(int(eval_result.metrics["global_step"]))
            return not ends()

    return EachOnce()
