"""The position in the input, kept with each checkpoint of the model.

A resumed Estimator reads its input from the start; with the state of its iterators restored, a trial
that was stopped sees the batches that an undisturbed one would have seen. TensorFlow 2.15 has
``tf.data.experimental.CheckpointInputPipelineHook``; later versions have only the saveable of an
iterator, so this is a listener of ours that works on both.

The state of an iterator holds its shuffle buffers, and saving it may cost more than the steps between
two checkpoints. So it is saved when the trial stops, and else only as often as takes little of its
time; at the other checkpoints it is written down how many batches have been drawn since, and who goes
on from there draws them again.

Some pipelines cannot be saved (``from_generator``, ``py_function``): the first attempt says so, and
the trial goes on without.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tuner.domain.tags import INPUT_POSITION
from tuner.estimator.input_progress import PREFIX, InputProgress, InputProgressFile

_SHARE = 50  # a saving may take one in so many seconds
_SELDOM_S = 5.0  # to draw the batches of so much training again is soon done

_KEEPING = ("MakeIterator", "SerializeIterator", "DeserializeIterator")  # what does not draw from an iterator

_TRIED = f".{PREFIX}.tried"
_STATEFUL = {
    "EagerPyFunc": "tf.py_function",
    "PyFunc": "Python's code (Dataset.from_generator, tf.numpy_function, tf.compat.v1.py_func)",
}
_OF_A_TRACE = re.compile(r"Graph execution error|Detected at node|File \"|\[\[")

logger = logging.getLogger(__name__)


class InputPosition:
    """Keep the state of all iterators with each checkpoint, and restore it before the first step.

    The saver hook makes its first checkpoint before the input's own hook has initialised the
    iterators, so a hook of ours, which comes after that one, restores.

    Args:
        trial_dir: Where the positions are kept, one for each of the newest model checkpoints.
        required: Save at every checkpoint, and raise instead of falling back if that is not possible.
        last_step: Global step at which training is over, so that nobody goes on from there; or None.
        stops: Whether the trial stops at a checkpoint of this global step, as far as is known before it.

    Attributes:
        trouble: A line if it fell back, else an empty string.
        note: A line if the trial went on without its position, else an empty string.
    """

    def __init__(
        self,
        trial_dir: Path,
        required: bool,
        last_step: int | None = None,
        stops: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._dir = trial_dir
        self._required = required
        self._last_step = last_step
        self._stops = stops
        self._file = InputProgressFile(trial_dir)
        self._saver: Any = None
        self._batches: list[Any] = []  # operations that draw the next ones, if drawing again is possible
        self._begun_at: int | None = None
        self._drawn = InputProgress(None, 0)
        self._saved_at_s = 0.0
        self._cost_s = 0.0
        self.trouble = self.note = ""

    def listener(self) -> Any:
        """Make the listener that saves."""
        import tensorflow as tf

        position = self

        class SavePosition(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]
            def begin(self) -> None:
                position._build()

            def before_save(self, session: Any, global_step_value: int) -> None:
                # Before, so that no model checkpoint is without its position, whenever we are killed.
                position._keep(session, int(global_step_value))

        return SavePosition()

    def hook(self) -> Any:
        """Make the hook that restores, and counts."""
        import tensorflow as tf

        position = self

        class RestorePosition(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
            def after_create_session(self, session: Any, coord: Any) -> None:
                del coord
                step = session.run(tf.compat.v1.train.get_global_step())
                position._restore(session, int(step))

            def before_run(self, run_context: Any) -> None:
                # Counted before, as the checkpoint of a step is written by a hook that may come before this one.
                del run_context
                position._drawn = position._drawn.next()

        return RestorePosition()

    def tag(self, tags: dict[str, str]) -> None:
        """Put what the run is to say of it into ``tags``."""
        if self.trouble:
            tags[INPUT_POSITION] = f"not checkpointed: {self.trouble}"

    def _build(self) -> None:
        iterators = _iterators()
        if not iterators:
            self._fall_back("the input has no iterator that can be checkpointed")
            return
        self._saver = _saver(iterators)
        self._batches = [] if self._required else _draws(iterators)

    def _restore(self, session: Any, step: int) -> None:
        self._begun_at = step
        self._saved_at_s = time.monotonic()
        self._drawn = InputProgress(None, 0)
        if step and not self.trouble:
            self._go_on(session, step)
        if step and self.trouble:
            self.note = f"a trial that was resumed at step {step} has read its input from the start: {self.trouble}"

    def _go_on(self, session: Any, step: int) -> None:
        """Put the input where it was at a checkpoint."""
        found = self._file.at(step)
        if found is None or (found.batches and not self._batches):
            self._try_to_save(session)
            why = f": {self.trouble}" if self.trouble else ""
            self._fall_back(f"no position in the input was saved at step {step}{why}")
            return
        with self._falling_back():
            if found.saved is not None:
                self._saver.restore(session, f"{self._dir / PREFIX}-{found.saved}")
            self._draw(session, found.batches)
        self._drawn = found

    def _try_to_save(self, session: Any) -> None:
        """Find out why no position was saved, if none can be; at its start an input's buffers are empty."""
        with self._falling_back():
            self._saver.save(session, str(self._dir / _TRIED), write_meta_graph=False, write_state=False)
        for file in self._dir.glob(f"{_TRIED}*"):
            file.unlink(missing_ok=True)

    def _draw(self, session: Any, batches: int) -> None:
        import tensorflow as tf

        with suppress(tf.errors.OutOfRangeError):  # what was drawn last was the input's end
            for _ in range(batches):
                session.run(self._batches)

    def _keep(self, session: Any, step: int) -> None:
        if self.trouble or self._begun_at is None or step == self._begun_at:
            return  # the position at which this attempt began is there, or is the input's start
        if self._last_step is not None and step >= self._last_step:
            return
        if not self._batches or self._stops(step) or self._due():
            self._save(session, step)
        if not self.trouble:
            self._file.write(step, self._drawn)

    def _due(self) -> bool:
        return time.monotonic() - self._saved_at_s >= max(_SELDOM_S, _SHARE * self._cost_s)

    def _save(self, session: Any, step: int) -> None:
        begun = time.monotonic()
        with self._falling_back():
            self._saver.save(
                session,
                str(self._dir / PREFIX),
                global_step=step,
                write_meta_graph=False,
                write_state=False,
            )
            self._drawn = InputProgress(step, 0)
        self._saved_at_s = time.monotonic()
        self._cost_s = self._saved_at_s - begun

    @contextmanager
    def _falling_back(self) -> Iterator[None]:
        import tensorflow as tf

        try:
            yield
        except (tf.errors.OpError, ValueError) as error:
            self._fall_back(reason_of(str(error)))

    def _fall_back(self, why: str) -> None:
        if self._required:
            raise RuntimeError(f"checkpoint_input is true, but {why}; set train.checkpoint_input: auto")
        self.trouble = why.strip()[:300]
        logger.warning("The position in the input is not checkpointed: %s", self.trouble)


def reason_of(error: str) -> str:
    """Return in one line why an input cannot be saved or restored, of what TensorFlow says: a trace comes first."""
    if found := re.search(r"(\w+) is stateful", error):
        name = _STATEFUL.get(found[1], f"the operation {found[1]}")
        return f"the input uses {name}, whose state TensorFlow cannot save"
    *_, said = re.split(r"^Node: .*$", error, flags=re.MULTILINE)
    lines = [line.strip() for line in said.splitlines()]
    return next((line for line in lines if line and not _OF_A_TRACE.match(line)), "TensorFlow does not say why")


def _iterators() -> list[Any]:
    """Return the iterators of the current graph."""
    import tensorflow as tf
    from tensorflow.python.data.ops import iterator_ops

    found: list[Any] = tf.compat.v1.get_collection(iterator_ops.GLOBAL_ITERATORS)
    return found


def _saver(iterators: list[Any]) -> Any:
    """Make a Saver of iterators."""
    import tensorflow as tf
    from tensorflow.python.data.ops import iterator_ops

    saveables = [iterator_ops._IteratorSaveable(it, it.name) for it in iterators]
    return tf.compat.v1.train.Saver(saveables, max_to_keep=None, sharded=True)


def _draws(iterators: list[Any]) -> list[Any]:
    """Return the operations that each step runs to draw from the iterators, or nothing if that is not clear.

    It is, if each iterator is drawn from by one operation, and known to nobody else.
    """
    drawing = []
    for iterator in iterators:
        users = [op for op in iterator.consumers() if op.type not in _KEEPING]
        users = [op for op in users if op.type != "IteratorToStringHandle" or op.outputs[0].consumers()]
        if [op.type for op in users] != ["IteratorGetNext"]:
            return []
        drawing += users
    return drawing
