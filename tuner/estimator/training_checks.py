"""Whether training gets anywhere: TensorFlow goes on for ever if it does not, or ends as if it had.

A model_fn that does not give ``minimize`` the global step trains without end, because ``max_steps`` never
comes. An input without a row leaves the model as it was made, and its evaluation looks like any other.
"""

from __future__ import annotations

from typing import Any

from tuner.domain.job import NO_FIT
from tuner.errors import TrialError

PATIENCE = 500

"""Runs of the train_op in which the global step must move; gradients are accumulated over fewer."""


class TrainingProgressCheck:
    """Look at the global step and at the end of the input of a training in one process.

    Args:
        max_steps: Where training is to end, or None if that is nobody's business here.

    Attributes:
        note: A line if the input ended before ``max_steps``, else an empty string.
    """

    def __init__(self, max_steps: int | None = None) -> None:
        self._max_steps = max_steps
        self.note = ""

    def listener(self) -> Any:
        """Make a listener that does nothing."""
        import tensorflow as tf

        return tf.compat.v1.train.CheckpointSaverListener()

    def hook(self) -> Any:
        """Make the hook that looks; it raises TrialError if nothing was or will be trained."""
        import tensorflow as tf
        from tensorflow.python.training import training_util

        advancing = self

        class TrainingAdvances(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            """Look at the global step twice, and at how many runs did not come back."""

            def begin(self) -> None:
                self._step = training_util._get_or_create_global_step_read()  # which the saver reads, too

            def after_create_session(self, session: Any, coord: Any) -> None:
                del session, coord
                self._asked = self._runs = 0

            def before_run(self, run_context: Any) -> None:
                del run_context
                self._asked += 1

            def after_run(self, run_context: Any, run_values: Any) -> None:
                del run_values
                self._runs += 1
                if self._runs == PATIENCE:
                    self._seen = int(run_context.session.run(self._step))
                if self._runs == 2 * PATIENCE and int(run_context.session.run(self._step)) == self._seen:
                    raise TrialError(
                        f"the train_op ran {PATIENCE} times and the global step is still {self._seen}, so that "
                        "training would never end: expected it to count, as in "
                        "optimizer.minimize(loss, tf.compat.v1.train.get_global_step())"
                    )

            def end(self, session: Any) -> None:
                if self._asked > self._runs:  # a run that raised: the input has no more rows
                    advancing._ended(int(session.run(self._step)))

        return TrainingAdvances()

    def _ended(self, step: int) -> None:
        """Take note that the input ended at ``step``.

        Raises:
            TrialError: Nothing was trained, in this attempt of the trial or in a former one.
        """
        if not step:
            raise TrialError(
                "the training input has no rows, so nothing was trained: expected its input_fn to give at least one "
                "batch (look for an empty file, a filter that takes all, batch(drop_remainder=True) of too few)"
            )
        if self._max_steps is not None and step < self._max_steps:
            self.note = (
                "the training input ended before max_steps: trials train as long as it lasts; "
                "train_input_fn with .repeat() trains for max_steps"
            )


def checkpoint_shape_hook(model_dir: str) -> Any:
    """Make a hook that raises before a session begins whose graph does not fit the newest checkpoint."""
    import tensorflow as tf

    class CheckpointFits(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
        """Compare the shapes of variables with those in the checkpoint."""

        def begin(self) -> None:
            newest = tf.train.latest_checkpoint(model_dir)
            if newest is None:
                return
            written = tf.train.load_checkpoint(newest).get_variable_to_shape_map()
            for variable in tf.compat.v1.global_variables():
                name, shape = variable.op.name, variable.shape
                if name in written and shape.is_fully_defined() and shape.as_list() != list(written[name]):
                    raise TrialError(
                        f"{NO_FIT}: {name} has the shape {shape.as_list()} in the model and {list(written[name])} "
                        "in the checkpoint"
                    )

    return CheckpointFits()
