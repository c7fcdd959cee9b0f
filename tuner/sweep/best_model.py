"""The best model of a finished sweep, for its MLflow run: exported once, after the last trial."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
import warnings
from collections.abc import Callable

from tuner.domain.spec import ModelRef
from tuner.driver.progress import Display, NullDisplay
from tuner.errors import TunerError
from tuner.export import Choice, Exported, ExportProcesses, choose_checkpoint, export_trial
from tuner.export.checkpoint_choice import exported_step
from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir
from tuner.records.log import RecordLog
from tuner.records.record import ModelExported
from tuner.results import SweepResult, Trial
from tuner.sweep.export_standby import STAGE, ExportStandby, make_stage


def export_best(
    result: SweepResult,
    log: RecordLog,
    display: Display,
    stopped: Callable[[], bool],
    standby: ExportStandby | None = None,
) -> bool:
    """Export the best trial, if its model can be served and it has not been exported, nor is just now.

    Seconds, nearly all of them TensorFlow's import if the processes were not started before. A failure is a line and
    a record, nothing more.

    Args:
        result: The sweep's trials.
        log: Takes what came of it; the recorder puts the model on the sweep's run.
        display: Is told.
        stopped: Asked meanwhile; when it says so, there is no export.
        standby: Has the processes, if they were started before.

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
        return _export_best(result, best, log, display, stopped, standby.processes if standby else None)


def _export_best(
    result: SweepResult,
    best: Trial,
    log: RecordLog,
    display: Display,
    stopped: Callable[[], bool],
    processes: ExportProcesses | None,
) -> bool:
    for left in result.dir.path.glob(f"{STAGE}*"):
        if processes is None or left != processes.stage:
            shutil.rmtree(left, ignore_errors=True)
    step = -1
    try:
        choice = choose_checkpoint(result.dir, best)
        step = choice.step
        if exported_step(result.dir, best) == step:
            return False
        display.line(f"exporting the best model: trial {best.number} at step {step}")
        exported = _export(result.dir, result.spec.model, best, choice, stopped, processes)
    except KeyboardInterrupt:
        log.append(ModelExported(time.time(), best.number, step, problem="it was interrupted"))
        return True
    except (TunerError, OSError) as error:
        problem = str(error).splitlines()[0]
        log.append(ModelExported(time.time(), best.number, step, problem=problem))
        said = (
            f"the best model was not exported: {problem}",
            f"  try again with: tuner export {result.dir.name} OUT_DIR",
        )
        for line in said:
            display.line(line)
        if type(display) is NullDisplay:  # a program's, which sees no lines
            warnings.warn("\n".join(said), RuntimeWarning, stacklevel=2)
        return False
    values, gone = best.values_at(step), choice.note
    log.append(ModelExported(time.time(), best.number, step, exported.checked, "", values, choice.differs, gone))
    marker = {"trial": best.number, "step": step}
    write_whole(result.dir.best_model_file, json.dumps(marker) + "\n")
    display.line(f"exported: {exported.checked}")
    for note in exported.notes:
        display.line(f"note: {note}")
    return False


def export_due(result: SweepResult) -> bool:
    """Whether the best trial can be exported and has not been; if its checkpoints are gone, that is to be said."""
    best = _exportable(result)
    if best is None:
        return False
    try:
        return exported_step(result.dir, best) != choose_checkpoint(result.dir, best).step
    except TunerError:
        return True


def _exportable(result: SweepResult) -> Trial | None:
    """Return the best trial if its model can be served."""
    best = result.best_or_none
    return best if best is not None and best.is_servable else None


def _export(
    sweep_dir: SweepDir,
    model: ModelRef | None,
    best: Trial,
    choice: Choice,
    stopped: Callable[[], bool],
    processes: ExportProcesses | None,
) -> Exported:
    """Export into the sweep's folder."""
    if processes is not None and not processes.are_alive:
        processes.close()
        processes = None
    stage = processes.stage if processes is not None else make_stage(sweep_dir)
    try:
        exported = export_trial(sweep_dir, model, best, choice, stage, stopped, processes)
        target = sweep_dir.best_model(best.number, choice.step)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        exported.mlflow_model.rename(target)
        return exported
    finally:
        shutil.rmtree(stage, ignore_errors=True)
