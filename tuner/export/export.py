"""Export a trial: choose the checkpoint, save it in a process with TensorFlow, check it in one without us.

Nothing here imports TensorFlow. All is done in a folder beside the place where the export goes; the
caller renames what it wants out of it, so that an export appears only when it is whole and checked.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner.config.manifest import read_manifest
from tuner.config.model_text import digest, text_at
from tuner.domain.job import Job, killed_by
from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput, SweepError
from tuner.export.checkpoint_choice import Choice
from tuner.export.forked import Forked
from tuner.export.parity_check import LOG_FILE, MLFLOW_MODEL, SAVED_MODEL, VERDICT_FILE
from tuner.files import checkpoints
from tuner.files.paths import SweepDir
from tuner.processes import signals_blocked
from tuner.results import Trial

SAVING = ("-m", "tuner.export.saved_model")
SAVING_FORKED = "tuner.export.saved_model:main_forked"
TAKING_OVER = ("-m", "tuner.export.own_export")
CHECKING = (str(Path(__file__).with_name("parity_check.py")),)  # as a file: it does without tuner
_LOG_LINES = 15
_POLL_S = 0.01

Fork = Callable[[str, str], socket.socket | None]
_Process = subprocess.Popen[bytes] | Forked


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


class ExportProcesses:
    """The process that makes an export and the one that checks it, which import TensorFlow and wait for their word.

    They may be started before it is known what is exported.

    Args:
        stage: An empty folder, in which the export is made.
        program: Makes it.
        fork: Forks a process that calls a function with an argument, if there is a fork server: such a one has
            TensorFlow and the model already. The check is always a program of its own, which knows neither.
    """

    def __init__(self, stage: Path, program: tuple[str, ...] | None = None, fork: Fork | None = None) -> None:
        self.stage = stage
        self.log_file = stage / LOG_FILE
        with self.log_file.open("ab") as log:
            self._checking: _Process = _start(CHECKING, stage, log)
            try:
                forked = fork(SAVING_FORKED, str(stage.absolute())) if fork is not None else None
                self._making: _Process = Forked(forked) if forked is not None else _start(program or SAVING, stage, log)
            except BaseException:
                _end(self._checking)
                raise

    @property
    def are_alive(self) -> bool:
        """Whether both wait for their word: the system may have ended one that had nothing to do."""
        return self._making.poll() is None and self._checking.poll() is None

    def make(self, stopped: Callable[[], bool]) -> Mapping[str, Any]:
        """Make the export of the order in the stage; return what there is to say of it."""
        _say(self._making, b"make\n")
        _wait(self._making, stopped)
        return done_or_fault(self.stage, self.log_file, self._making.returncode)

    def check(self, done: Mapping[str, Any], stopped: Callable[[], bool]) -> tuple[str, list[str]]:
        """Check the export that was made; see ``verdict_of``."""
        _say(self._checking, b"check\n")
        _wait(self._checking, stopped)
        return verdict_of(self.stage, done, self.log_file, self._checking.returncode)

    def close(self) -> None:
        """End both."""
        _end(self._making)
        _end(self._checking)


def export_trial(
    sweep_dir: SweepDir,
    model: ModelRef | None,
    trial: Trial,
    choice: Choice,
    stage: Path,
    stopped: Callable[[], bool] = lambda: False,
    processes: ExportProcesses | None = None,
) -> Exported:
    """Export a checkpoint of ``trial`` into ``stage`` and check it.

    Args:
        sweep_dir: The trial's sweep, which runs a model.
        model: The sweep's, where it is now.
        trial: A trial that was evaluated.
        choice: The checkpoint, as ``choose_checkpoint`` says it.
        stage: An empty folder.
        stopped: Asked meanwhile; when it says so, the processes are ended.
        processes: Those of that stage if they were started before; they are ended.

    Raises:
        InvalidInput: The trial or its model cannot be exported.
        SweepError: Exporting or the check failed.
        KeyboardInterrupt: It was stopped.
    """
    _place_order(sweep_dir, model, trial, choice, stage)
    return _exported(processes or ExportProcesses(stage), trial, choice, stopped)


def take_over(sweep_dir: SweepDir, saved_model: Path, trial: Trial, choice: Choice, stage: Path) -> Exported:
    """Copy the SavedModel that a trial of a command wrote, and check that it loads; see ``export_trial``."""
    order = {"saved_model": str(saved_model), "metadata": _facts(sweep_dir, trial, choice, stage)}
    (stage / "order.json").write_text(json.dumps(order), encoding="utf-8")
    return _exported(ExportProcesses(stage, TAKING_OVER), trial, choice, lambda: False)


def _exported(processes: ExportProcesses, trial: Trial, choice: Choice, stopped: Callable[[], bool]) -> Exported:
    """Have an export made of the order in the stage, and checked."""
    stage = processes.stage
    try:
        done = processes.make(stopped)
        checked, notes = processes.check(done, stopped)
    finally:
        processes.close()
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


def _place_order(sweep_dir: SweepDir, model: ModelRef | None, trial: Trial, choice: Choice, stage: Path) -> None:
    """Put into the stage what the saving process needs: the job, the checkpoint, facts."""
    trial_dir = sweep_dir.trial(trial.number)
    try:
        job = Job.read(trial_dir.job_file)
    except (OSError, ValueError) as error:
        raise InvalidInput("", f"trial {trial.number} left no job that can be read: {error}") from error
    # The model is where the sweep has it now: the job says where it was when the trial ran.
    model = model or job.model
    replace(job, model=model, threads=max(job.threads, os.cpu_count() or 1)).write(stage / "job.json")
    checkpoints.fork(trial_dir.path, choice.step, stage / "trial")
    order = {"step": choice.step, "metadata": _facts(sweep_dir, trial, choice, stage)}
    texts = read_manifest(sweep_dir).model_texts if sweep_dir.spec_file.exists() else ()
    trained = text_at(texts, trial.record.ended or trial.record.idle_since or time.time())
    if trained and digest(model) not in (trained, ""):
        order["recorded"] = trial.values_at(choice.step)  # is evaluated again by the text that the model has now
    (stage / "order.json").write_text(json.dumps(order), encoding="utf-8")


def _facts(sweep_dir: SweepDir, trial: Trial, choice: Choice, stage: Path) -> dict[str, Any]:
    """Write what an export says of itself into the stage, and return it."""
    facts = {
        "sweep": sweep_dir.name,
        "trial": trial.number,
        "step": choice.step,
        trial.objectives[0].metric: choice.value,
        "params": trial.params,
    }
    (stage / "export.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def _start(program: tuple[str, ...], stage: Path, log: Any) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, *program, str(stage)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1")}
    environment.pop("TF_CONFIG", None)  # a cluster's part is not the export's
    # Without a buffer, what a process that has died did not take is not tried again when its input is closed.
    with signals_blocked():
        return subprocess.Popen(
            arguments, bufsize=0, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def _say(process: _Process, word: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has died meanwhile, which what it did not leave says
        process.stdin.write(word)


def _wait(process: _Process, stopped: Callable[[], bool]) -> None:
    while process.poll() is None:
        if stopped():
            raise KeyboardInterrupt
        time.sleep(_POLL_S)


def _end(process: _Process) -> None:
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
        return _read(done_file, log_file)
    if not fault_file.exists():
        raise SweepError(f"the process that exports {_how(status)}, expected an export", _tail(log_file))
    fault = _read(fault_file, log_file)
    if fault["invalid"]:
        raise InvalidInput("", fault["message"])
    raise SweepError(f"the export failed: {fault['message']}", _tail(log_file))


def _read(file: Path, log_file: Path) -> Mapping[str, Any]:
    """Return what a process of the export wrote.

    Raises:
        SweepError: It did not come to the end of it, on a full disk for instance.
    """
    try:
        found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SweepError(f"{file.name} of the export is not whole: {error}", _tail(log_file)) from error
    return found


def verdict_of(stage: Path, done: Mapping[str, Any], log_file: Path, status: int) -> tuple[str, list[str]]:
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
    verdict = _read(verdict_file, log_file)
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
    if status == 0:
        return "ended"  # or was forked, and only its parent knows how
    return f"was {killed_by(status)}" if status < 0 else f"ended with exit status {status}"


def _tail(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n  ".join(lines[-_LOG_LINES:])
