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
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PREFIX = "input.ckpt"
_INDEX = re.compile(r"input\.ckpt-(\d+)\.index")
_KEPT = 3  # of the checkpoint being saved, the newest one, and the one before it should that be damaged

logger = logging.getLogger(__name__)


class InputPosition:
    """Save the state of all iterators with each checkpoint, and restore it before the first step.

    The saver hook makes its first checkpoint before the input's own hook has initialised the
    iterators, so a hook of ours, which comes after that one, restores.

    Args:
        trial_dir: Where the positions are kept, one for each of the newest model checkpoints.
        required: Raise instead of falling back where the input cannot be checkpointed.
        last_step: Global step at which training is over, so that nobody goes on from there; or None.

    Attributes:
        trouble: A line where it fell back, else an empty string.
    """

    def __init__(self, trial_dir: Path, required: bool, last_step: int | None = None) -> None:
        self._dir = trial_dir
        self._required = required
        self._last_step = last_step
        self._saver: Any = None
        self._begun_at: int | None = None
        self.trouble = ""

    def listener(self) -> Any:
        """Make the listener that saves."""
        import tensorflow as tf

        position = self

        class SavePosition(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
            def begin(self) -> None:
                position._build()

            def before_save(self, session: Any, global_step_value: int) -> None:
                # Before, so that no model checkpoint is without its position, whenever we are killed.
                position._save(session, int(global_step_value))

        return SavePosition()

    def hook(self) -> Any:
        """Make the hook that restores."""
        import tensorflow as tf

        position = self

        class RestorePosition(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            def after_create_session(self, session: Any, coord: Any) -> None:
                del coord
                step = session.run(tf.compat.v1.train.get_global_step())
                position._restore(session, int(step))

        return RestorePosition()

    def _build(self) -> None:
        self._saver = _iterator_saver()
        if self._saver is None:
            self._fall_back("the input has no iterator that can be checkpointed")

    def _restore(self, session: Any, step: int) -> None:
        self._begun_at = step
        if not step or self.trouble:
            return
        prefix = f"{self._dir / _PREFIX}-{step}"
        if not Path(f"{prefix}.index").exists():
            self._fall_back(f"no position in the input was saved at step {step}")
            return
        with self._falling_back():
            self._saver.restore(session, prefix)

    def _save(self, session: Any, step: int) -> None:
        if self.trouble or self._begun_at is None or step == self._begun_at:
            return  # the position at which this life began is there, or is the input's start
        if self._last_step is not None and step >= self._last_step:
            return
        with self._falling_back():
            self._saver.save(
                session,
                str(self._dir / _PREFIX),
                global_step=step,
                write_meta_graph=False,
                write_state=False,
            )
            _thin(self._dir)

    @contextmanager
    def _falling_back(self) -> Iterator[None]:
        import tensorflow as tf

        try:
            yield
        except (tf.errors.OpError, ValueError) as error:
            lines = [line for line in str(error).splitlines() if line and "Graph execution error" not in line]
            self._fall_back(
                next((line for line in lines if "rror" in line or "not" in line), lines[0] if lines else "")
            )

    def _fall_back(self, why: str) -> None:
        if self._required:
            raise RuntimeError(f"checkpoint_input is true, but {why}; set train.checkpoint_input: auto")
        self.trouble = why.strip()[:300]
        logger.warning("The position in the input is not checkpointed: %s", self.trouble)


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
    found = (_INDEX.fullmatch(file.name) for file in trial_dir.glob(f"{_PREFIX}-*.index"))
    steps = sorted(int(match[1]) for match in found if match)
    for step in steps[:-_KEPT]:
        for file in trial_dir.glob(f"{_PREFIX}-{step}.*"):
            file.unlink(missing_ok=True)
