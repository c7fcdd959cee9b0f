"""The position in the input, checkpointed beside the model.

A resumed Estimator reads its input from the start; with the state of its iterators restored, a trial
that was stopped sees the batches that an undisturbed one would have seen. TensorFlow 2.15 has
``tf.data.experimental.CheckpointInputPipelineHook``; later versions have only the saveable of an
iterator, so this is a listener of ours that works on both.

Some pipelines cannot be saved (``from_generator``, ``py_function``): the first attempt says so, and
the trial goes on without.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

_PREFIX = "input.ckpt"
_KEPT = 2  # as many as there may be steps back to an undamaged model checkpoint

logger = logging.getLogger(__name__)


def input_listener(trial_dir: Path, required: bool) -> Any:
    """Make the listener that saves and restores the position in the input.

    Args:
        trial_dir: Where the positions are kept, one for each of the newest model checkpoints.
        required: Raise instead of falling back where the input cannot be checkpointed.

    Returns:
        A CheckpointSaverListener; ``trouble`` is a line where it fell back, else an empty string.
    """
    import tensorflow as tf

    class InputPosition(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
        """Save the state of all iterators after each checkpoint, restore it before the first step."""

        trouble = ""

        def begin(self) -> None:
            self._saver = _iterator_saver()
            self._restored = False
            if self._saver is None:
                self._fall_back("the input has no iterator that can be checkpointed")

        def after_save(self, session: Any, global_step_value: int) -> None:
            if self.trouble:
                return
            try:
                if not self._restored:  # the first save is the state training begins with
                    self._restored = True
                    self._restore(session, global_step_value)
                self._saver.save(
                    session,
                    str(trial_dir / _PREFIX),
                    global_step=global_step_value,
                    write_meta_graph=False,
                    write_state=False,
                )
                _thin(trial_dir)
            except (tf.errors.OpError, ValueError) as error:
                self._fall_back(str(error).strip().splitlines()[0])

        def _restore(self, session: Any, step: int) -> None:
            prefix = f"{trial_dir / _PREFIX}-{step}"
            if tf.compat.v1.train.checkpoint_exists(prefix):
                self._saver.restore(session, prefix)
            elif step:
                self._fall_back(f"no position in the input was saved at step {step}")

        def _fall_back(self, why: str) -> None:
            if required:
                raise RuntimeError(f"checkpoint_input is true, but {why}; set train.checkpoint_input: auto")
            self.trouble = why[:300]
            logger.warning("The position in the input is not checkpointed: %s", self.trouble)

    return InputPosition()


def _iterator_saver() -> Any:
    """Return a Saver of the iterators of the current graph, or None where it has none."""
    import tensorflow as tf
    from tensorflow.python.data.ops import iterator_ops

    iterators = tf.compat.v1.get_collection(iterator_ops.GLOBAL_ITERATORS)
    if not iterators:
        return None
    saveables = [iterator_ops._IteratorSaveable(it, it.name) for it in iterators]
    return tf.compat.v1.train.Saver(saveables, max_to_keep=None, sharded=True)


def _thin(trial_dir: Path) -> None:
    """Delete the positions that no checkpoint we could go back to needs."""
    steps = sorted({int(file.suffixes[1].split("-")[1]) for file in trial_dir.glob(f"{_PREFIX}-*.index")})
    for step in steps[:-_KEPT]:
        for file in trial_dir.glob(f"{_PREFIX}-{step}.*"):
            file.unlink(missing_ok=True)
