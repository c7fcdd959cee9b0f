"""Whether the checkpoint that a trial begins with fits the model that its parameters make.

TensorFlow does not say: a resource variable takes whatever shape the checkpoint has, and the model
would train with a shape that its parameters do not name.
"""

from __future__ import annotations

from typing import Any

from tuner.errors import TrialError
from tuner.jobs import NO_FIT


def fit_hook(model_dir: str) -> Any:
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
