"""The best model of a finished sweep, for its MLflow run: exported once, after the last trial."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tuner.errors import TunerError
from tuner.export import Choice, Exported, choose_checkpoint, export_trial
from tuner.paths import SweepDir, write_whole
from tuner.records import ModelExported, RecordLog
from tuner.results import SweepResult, Trial
from tuner.sweep.progress import Watcher

SERVABLE = "tuner.servable"  # what a trial says whose model can be exported
_STAGE = ".export-"


def export_best(result: SweepResult, log: RecordLog, watcher: Watcher, stopped: Callable[[], bool]) -> bool:
    """Export the best trial, where its model can be served and it has not been exported, nor is just now.

    Seconds, nearly all of them TensorFlow's import. A failure is a line and a record, nothing more.

    Args:
        result: The sweep's trials.
        log: Takes what came of it; the recorder puts the model on the sweep's run.
        watcher: Is told.
        stopped: Asked meanwhile; when it says so, there is no export.

    Returns:
        Whether the export was left out because somebody stopped it.
    """
    best = _exportable(result)
    if best is None:
        return False
    with result.dir.export_lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # another driver of the sweep does it
        return _export_best(result, best, log, watcher, stopped)


def _export_best(
    result: SweepResult, best: Trial, log: RecordLog, watcher: Watcher, stopped: Callable[[], bool]
) -> bool:
    for left in result.dir.path.glob(f"{_STAGE}*"):
        shutil.rmtree(left, ignore_errors=True)
    step = -1
    try:
        choice = choose_checkpoint(result.dir, best)
        step = choice.step
        if _exported_before(result.dir, best, step):
            return False
        watcher.say(f"exporting the best model: trial {best.number} at step {step}")
        exported = _export(result.dir, best, choice, stopped)
    except KeyboardInterrupt:
        log.append(ModelExported(time.time(), best.number, step, problem="it was interrupted"))
        return True
    except (TunerError, OSError) as error:
        problem = str(error).splitlines()[0]
        log.append(ModelExported(time.time(), best.number, step, problem=problem))
        watcher.say(f"the best model was not exported: {problem}")
        watcher.say(f"  try again with: tuner export {result.dir.name} OUT_DIR")
        return False
    log.append(ModelExported(time.time(), best.number, step, exported.checked))
    marker = {"trial": best.number, "step": step}
    write_whole(result.dir.best_model_file, json.dumps(marker) + "\n")
    watcher.say(f"exported: {exported.checked}")
    for note in exported.notes:
        watcher.say(f"note: {note}")
    return False


def export_due(result: SweepResult) -> bool:
    """Whether the best trial can be exported and has not been; where its checkpoints are gone, that is to be said."""
    best = _exportable(result)
    if best is None:
        return False
    try:
        return not _exported_before(result.dir, best, choose_checkpoint(result.dir, best).step)
    except TunerError:
        return True


def _exportable(result: SweepResult) -> Trial | None:
    """Return the best trial where its model can be served."""
    best = result.best_or_none
    return best if best is not None and best.record.tags.get(SERVABLE) == "true" else None


def _export(sweep_dir: SweepDir, best: Trial, choice: Choice, stopped: Callable[[], bool]) -> Exported:
    """Export into the sweep's folder."""
    stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=sweep_dir.path))
    try:
        exported = export_trial(sweep_dir, best, choice, stage, stopped)
        target = sweep_dir.best_model(best.number, choice.step)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        exported.mlflow_model.rename(target)
        return exported
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _exported_before(sweep_dir: SweepDir, best: Trial, step: int) -> bool:
    try:
        marker = json.loads(sweep_dir.best_model_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(marker == {"trial": best.number, "step": step})
