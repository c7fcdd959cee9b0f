"""The model's checkpoints in a trial's folder: which is newest, which are whole, which may go.

Only file names and TensorFlow's ``checkpoint`` state file are looked at, except by
``without_damage``, which opens checkpoints and so needs TensorFlow.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tuner.files.atomic import write_whole

_INDEX = re.compile(r"model\.ckpt-(\d+)\.index")
_STATE_LINE = re.compile(r'^model_checkpoint_path: "(?:.*[/\\])?model\.ckpt-(\d+)"', re.MULTILINE)

logger = logging.getLogger(__name__)


def steps(trial_dir: Path) -> list[int]:
    """Return the global steps of the checkpoints that are there, ascending."""
    found = (_INDEX.fullmatch(file.name) for file in trial_dir.glob("model.ckpt-*.index"))
    return sorted(int(match[1]) for match in found if match)


def newest_step(trial_dir: Path) -> int | None:
    """Return the global step of the checkpoint that a next attempt goes on from, or None.

    The state file names it: a checkpoint whose files are there but which the state file does not
    name yet was cut off.
    """
    try:
        match = _STATE_LINE.search((trial_dir / "checkpoint").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return int(match[1]) if match else None


def newest_step_below(trial_dir: Path) -> int | None:
    """Return the global step of the newest checkpoint in any folder below, or None."""
    found = (newest_step(state.parent) for state in trial_dir.rglob("checkpoint"))
    return max((step for step in found if step is not None), default=None)


def thin(trial_dir: Path, ranked: Sequence[int]) -> int:
    """Delete the checkpoints of a trial that may go on, except its best, its newest two, and those not judged yet.

    Two, so that a damaged newest one is no loss of the trial. Behind the last step that is known to have been
    evaluated any may turn out to be the best: what an earlier attempt has evaluated becomes known step by step.

    Args:
        trial_dir: The trial's folder.
        ranked: Global steps that are known to have been evaluated, the best first.

    Returns:
        How many were deleted.
    """
    if not ranked:
        return 0
    there, judged = steps(trial_dir), max(ranked)
    kept = {_first_of(ranked, there), *there[-2:], newest_step(trial_dir)}
    gone = [step for step in there if step <= judged and step not in kept]
    for step in gone:
        for file in trial_dir.glob(f"model.ckpt-{step}.*"):
            file.unlink(missing_ok=True)
    return len(gone)


def _first_of(ranked: Sequence[int], there: Sequence[int]) -> int | None:
    return next((step for step in ranked if step in there), None)


def keep_one(trial_dir: Path, ranked: Sequence[int]) -> int:
    """Delete all checkpoints of a trial that will not run again, except its best or, without one, its newest.

    Args:
        trial_dir: The trial's folder.
        ranked: Global steps that were evaluated, the best first.

    Returns:
        Bytes that were freed.
    """
    there = steps(trial_dir)
    if len(there) < 2:
        return 0
    best = _first_of(ranked, there)
    kept = there[-1] if best is None else best
    before = size(trial_dir)
    name_newest(trial_dir, kept)
    for step in there:
        if step != kept:
            for file in trial_dir.glob(f"model.ckpt-{step}.*"):
                file.unlink(missing_ok=True)
    return before - size(trial_dir)


def tidy(trial_dir: Path) -> None:
    """Delete what a trial that will not run again has no use for.

    That is the positions in its input, which hold its shuffle buffers, and the checkpoints in the middle
    of whose writing it was killed or the disk was full: folders that end in ``_temp``.
    """
    for pattern in ("input.ckpt*", "model.ckpt-*_temp"):
        for path in list(trial_dir.rglob(pattern)):  # a script has its model_dir below
            remove(path)


def remove(path: Path) -> None:
    """Delete a file of a checkpoint, or the folder in which one was being written; it may be gone already."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size(trial_dir: Path) -> int:
    """Return how many bytes the checkpoints of a trial take, positions in the input included."""
    total = 0
    for file in (*trial_dir.glob("model.ckpt-*"), *trial_dir.glob("input.ckpt-*")):
        with contextlib.suppress(FileNotFoundError):  # a trial that runs deletes its oldest
            total += file.stat().st_size
    return total


def fork(donor_dir: Path, step: int, trial_dir: Path) -> None:
    """Let a trial begin with another one's checkpoint; nothing is done if it has one of its own.

    Args:
        donor_dir: Folder of the trial whose checkpoint it is.
        step: Global step of the checkpoint.
        trial_dir: Folder of the trial that begins; made if it is not there.

    Raises:
        FileNotFoundError: The donor has no checkpoint of that step.
    """
    if newest_step(trial_dir) is not None:
        return
    files = sorted(donor_dir.glob(f"model.ckpt-{step}.*"))
    if not files:
        raise FileNotFoundError(f"no checkpoint of step {step} in {donor_dir}")
    trial_dir.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, trial_dir / file.name)
    name_newest(trial_dir, step)


def fork_below(donor_dir: Path, step: int, trial_dir: Path, renamed: Mapping[str, str]) -> None:
    """Let a command begin with another trial's checkpoint, wherever below its folder that is.

    Args:
        donor_dir: Folder of the trial whose checkpoint it is.
        step: Global step of the checkpoint.
        trial_dir: Folder of the trial that begins.
        renamed: Folders below a trial's that are named by the trial: the donor's name to the new one.

    Raises:
        FileNotFoundError: The donor has no checkpoint of that step, or its program writes none of TensorFlow's.
    """
    found = sorted(donor_dir.rglob(f"model.ckpt-{step}.index"))
    if not found:
        raise FileNotFoundError(f"no checkpoint of step {step} below {donor_dir}")
    below = found[0].parent.relative_to(donor_dir).parts
    fork(found[0].parent, step, trial_dir.joinpath(*(renamed.get(part, part) for part in below)))


def name_newest(trial_dir: Path, step: int) -> None:
    """Write the state file: the checkpoint at ``step`` is the one to go on from."""
    name = f"model.ckpt-{step}"
    write_whole(trial_dir / "checkpoint", f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n')


def without_damage(trial_dir: Path) -> int | None:
    """Make the newest checkpoint that can be read the one to go on from.

    Damaged ones are renamed, never deleted.

    Returns:
        Its global step, or None if training begins anew.
    """
    import tensorflow as tf

    newest = newest_step(trial_dir)
    if newest is None or _readable(trial_dir, newest):
        return newest
    whole: int | None = None
    for step in reversed(steps(trial_dir)):
        if _readable(trial_dir, step):
            whole = step
            break
        logger.warning("The checkpoint at step %d is damaged; going back to the one before it", step)
        for file in trial_dir.glob(f"model.ckpt-{step}.*"):
            file.rename(file.with_name(f"damaged.{file.name}"))
    state = trial_dir / "checkpoint"
    if whole is None:
        state.unlink(missing_ok=True)
        return None
    tf.compat.v1.train.update_checkpoint_state(str(trial_dir), str(trial_dir / f"model.ckpt-{whole}"))
    return whole


def _readable(trial_dir: Path, step: int) -> bool:
    """Whether every tensor of the checkpoint can be read; block checksums are verified by reading."""
    import tensorflow as tf

    prefix = str(trial_dir / f"model.ckpt-{step}")
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, ValueError, RuntimeError):
        return False
    return True
