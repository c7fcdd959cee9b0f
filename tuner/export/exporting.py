"""Export a trial: choose the checkpoint, save it in a process with TensorFlow, check it in one without us.

Nothing here imports TensorFlow. All is done in a folder beside the place where the export goes; the
caller renames what it wants out of it, so that an export appears only when it is whole and checked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, SweepError
from tuner.export.checking import MLFLOW_MODEL, SAVED_MODEL, VERDICT_FILE
from tuner.export.choosing import Choice
from tuner.jobs import Job, killed_by
from tuner.paths import SweepDir
from tuner.results import Trial
from tuner.trial import checkpoints
from tuner.trial.starting import signals_held_back

SAVING = ("-m", "tuner.export.saving")
CHECKING = (str(Path(__file__).with_name("checking.py")),)  # as a file: it does without tuner
_LOG_LINES = 15
_POLL_S = 0.05


@dataclass(frozen=True)
class Exported:
    """An export that was checked, in its stage.

    Attributes:
        trial: Number of the trial.
        choice: The checkpoint.
        saved_model: Folder of the SavedModel.
        mlflow_model: Folder of the MLflow model.
        signatures: Names of the SavedModel's signatures.
        served: The one that the MLflow model answers with.
        checked: In a line: what was compared.
        notes: What the user should know, a line each.
    """

    trial: int
    choice: Choice
    saved_model: Path
    mlflow_model: Path
    signatures: tuple[str, ...]
    served: str
    checked: str
    notes: tuple[str, ...] = ()


def export_trial(
    sweep_dir: SweepDir, trial: Trial, choice: Choice, stage: Path, stopped: Callable[[], bool] = lambda: False
) -> Exported:
    """Export a checkpoint of ``trial`` into ``stage`` and check it.

    Args:
        sweep_dir: The trial's sweep, which runs a model.
        trial: A trial that was evaluated.
        choice: The checkpoint, as ``choose_checkpoint`` says it.
        stage: An empty folder.
        stopped: Asked meanwhile; when it says so, the processes are ended.

    Raises:
        InvalidInput: The trial or its model cannot be exported.
        SweepError: Exporting or the check failed.
        KeyboardInterrupt: It was stopped.
    """
    _place_order(sweep_dir, trial, choice, stage)
    log_file = stage / "log.txt"
    with log_file.open("ab") as log:
        # The check imports TensorFlow while the export is made.
        checking = _start(CHECKING, stage, log)
        try:
            saving = _start(SAVING, stage, log)
            try:
                _wait(saving, stopped)
            finally:
                _end(saving)
            done = done_or_fault(stage, log_file, saving.returncode)
            assert checking.stdin is not None
            with suppress(BrokenPipeError):  # it has died meanwhile, which its missing verdict says
                checking.stdin.write(b"check\n")
            _wait(checking, stopped)
        finally:
            _end(checking)
    checked, notes = judged(stage, done, log_file, checking.returncode)
    return Exported(
        trial.number,
        choice,
        stage / SAVED_MODEL,
        stage / MLFLOW_MODEL,
        tuple(done["signatures"]),
        done["served"],
        checked,
        tuple(note for note in (choice.note, *notes) if note),
    )


def _place_order(sweep_dir: SweepDir, trial: Trial, choice: Choice, stage: Path) -> None:
    """Put into the stage what the saving process needs: the job, the checkpoint, facts."""
    trial_dir = sweep_dir.trial(trial.number)
    try:
        job = Job.read(trial_dir.job_file)
    except (OSError, ValueError) as error:
        raise InvalidInput("", f"trial {trial.number} left no job that can be read: {error}") from error
    replace(job, threads=max(job.threads, os.cpu_count() or 1)).write(stage / "job.json")
    checkpoints.fork(trial_dir.path, choice.step, stage / "trial")
    facts = {
        "sweep": sweep_dir.name,
        "trial": trial.number,
        "step": choice.step,
        trial.objectives[0].metric: choice.value,
        "params": trial.params,
    }
    (stage / "export.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    order = {"step": choice.step, "metadata": facts}
    (stage / "order.json").write_text(json.dumps(order), encoding="utf-8")


def _start(program: tuple[str, ...], stage: Path, log: Any) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, *program, str(stage)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1")}
    environment.pop("TF_CONFIG", None)  # a cluster's part is not the export's
    # Without a buffer, what a process that has died did not take is not tried again when its input is closed.
    with signals_held_back():
        return subprocess.Popen(
            arguments, bufsize=0, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def _wait(process: subprocess.Popen[bytes], stopped: Callable[[], bool]) -> None:
    while process.poll() is None:
        if stopped():
            raise KeyboardInterrupt
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def done_or_fault(stage: Path, log_file: Path, status: int) -> Mapping[str, Any]:
    """Return what the saving process left.

    Args:
        stage: Where it left it.
        log_file: Of the processes.
        status: How it ended, as subprocess has it.

    Raises:
        InvalidInput: It refused the model.
        SweepError: It failed.
    """
    done_file, fault_file = stage / "done.json", stage / "fault.json"
    if done_file.exists():
        done: Mapping[str, Any] = json.loads(done_file.read_text(encoding="utf-8"))
        return done
    if not fault_file.exists():
        raise SweepError(f"the process that exports {_how(status)}, expected an export", _tail(log_file))
    fault = json.loads(fault_file.read_text(encoding="utf-8"))
    if fault["invalid"]:
        raise InvalidInput("", fault["message"])
    raise SweepError(f"the export failed: {fault['message']}", _tail(log_file))


def judged(stage: Path, done: Mapping[str, Any], log_file: Path, status: int) -> tuple[str, list[str]]:
    """Return what was checked, in a line, and notes.

    Args:
        stage: Where the verdict is.
        done: What the saving process left.
        log_file: Of the processes.
        status: How the checking process ended, as subprocess has it.

    Raises:
        SweepError: The check failed, or there was none.
    """
    verdict_file = stage / VERDICT_FILE
    if not verdict_file.exists():
        raise SweepError(f"the process that checks the export {_how(status)}, expected a verdict", _tail(log_file))
    verdict = json.loads(verdict_file.read_text(encoding="utf-8"))
    if verdict["problem"]:
        if not verdict.get("differs"):
            raise SweepError(f"the export did not pass its check: {verdict['problem']}")
        raise SweepError(
            f"the export does not do what the Estimator does: {verdict['problem']}",
            "expected the same predictions on held-out rows; does the model draw random numbers in PREDICT?",
        )
    notes = list(done["notes"])
    if verdict["unserved"]:
        notes.append(f"the MLflow model does not answer its input example: {verdict['unserved']}")
    if not verdict["compared"]:
        why = done["unfed"] or "no output of a signature is one of the predictions"
        example = "" if notes or not done["unfed"] else ", and the MLflow model has no input example"
        return "loaded again; predictions were not compared", [f"predictions were not compared{example}: {why}", *notes]
    if verdict["left_out"]:
        notes.append(
            f"not compared: {', '.join(verdict['left_out'])}, whose inputs or outputs held-out rows do not have"
        )
    found = verdict["difference"]
    apart = "equal to the last bit" if found == 0 else f"equal to {found:.1g}"
    return f"{verdict['rows']} held-out rows, predictions {apart} to the Estimator's", notes


def _how(status: int) -> str:
    """Return how a process ended, by its exit status as subprocess has it."""
    return f"was {killed_by(status)}" if status < 0 else f"ended with exit status {status}"


def _tail(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n  ".join(lines[-_LOG_LINES:])
