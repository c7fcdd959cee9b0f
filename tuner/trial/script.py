"""One attempt of a trial that is a command: Python runs in this process, any other program replaces it.

A script finds everything as in a fresh interpreter: ``sys.argv``, ``sys.path[0]``, ``__main__``, the
working directory, the environment; and, unlike there, TensorFlow imported and Estimators in place.
"""

from __future__ import annotations

import builtins
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

from tuner.domain.job import EXITED, Job, JobResult, JobStatus
from tuner.errors import Infeasible
from tuner.estimator.one_task import tf_config
from tuner.estimator.script_control import ScriptControl, TrialStopped
from tuner.estimator.script_estimators import ScriptedEstimators, estimators_obey
from tuner.estimator.session_close import close_sessions_in_background
from tuner.estimator.stop_control import StopRequest
from tuner.events.hypertune import metric_file
from tuner.files import backup
from tuner.files.checkpoints import newest_step_below
from tuner.files.paths import TrialDir
from tuner.model.error_text import one_line
from tuner.script.command_line import Program, recognise
from tuner.trial.no_progress import end_without_progress
from tuner.trial.run import is_nan, seed_everything, wait_for_a_new_name

_DEFAULT_IN_A_FRESH_PROGRAM = ("SIGINT", "SIGTERM", "SIGPIPE", "SIGXFZ", "SIGXFSZ")


def run_command(job: Job, trial_dir: TrialDir, request: StopRequest, private_env: tuple[str, ...]) -> None:
    """Run a command's attempt; a program that is not Python of this interpreter replaces the process.

    Args:
        job: What to do.
        trial_dir: The trial's folder.
        request: Set by SIGTERM.
        private_env: Variables of the environment that the driver does not have.
    """
    program = recognise(job.command, Path.cwd())
    backup.link(trial_dir)
    wait_for_a_new_name(trial_dir.path)
    for name in private_env:
        if name != "TF_USE_LEGACY_KERAS" or not program.forked:  # Estimators need it
            os.environ.pop(name, None)
    os.environ.update(environment(job, trial_dir))
    if not program.forked:
        _become(program, job.command[0], request)
    _run_script(program, job, trial_dir, request)


def environment(job: Job, trial_dir: TrialDir) -> dict[str, str]:
    """Return what AI Platform told a trial on one machine: TF_CONFIG with the trial's number, where reports go."""
    return {
        "TF_CONFIG": tf_config(job.trial),
        "CLOUD_ML_TRIAL_ID": str(job.trial + 1),
        "CLOUD_ML_HP_METRIC_TAG": job.objectives[0] if job.objectives else "",
        "CLOUD_ML_HP_METRIC_FILE": str(metric_file(trial_dir.path.absolute())),
    }


def _become(program: Program, name: str, request: StopRequest) -> NoReturn:
    """Run another program in place of this one, its signals as it expects them."""
    for known in _DEFAULT_IN_A_FRESH_PROGRAM:
        if hasattr(signal, known):
            signal.signal(getattr(signal, known), signal.SIG_DFL)
    if request.asked:
        signal.raise_signal(signal.SIGTERM)  # it came too early for the program
    sys.stdout.flush()
    try:
        os.execv(program.target, [name, *program.arguments])
    except OSError as error:
        print(f"tuner: {name} cannot be run: {error.strerror}", flush=True)  # noqa: T201
        os._exit(126)


def _run_script(program: Program, job: Job, trial_dir: TrialDir, request: StopRequest) -> None:
    tags: dict[str, str] = {}
    control = ScriptControl(request, job.stop_at)
    seed_everything(job.seed)
    before = signal.signal(signal.SIGTERM, _stopper(control))
    try:
        if request.asked:  # before anybody could raise
            raise TrialStopped
        watched = end_without_progress(job, trial_dir, lambda: control.busy)
        with close_sessions_in_background(), watched, estimators_obey(job, trial_dir, control, tags) as estimators:
            reason = _execute_to_its_end(program, estimators)
        ending = JobStatus.STOPPED if control.stopped else JobStatus.FINISHED
    except TrialStopped:
        ending, reason = JobStatus.STOPPED, ""
    except SystemExit as error:
        ending, reason = _exited(error)
    except Infeasible as error:
        ending, reason = JobStatus.INFEASIBLE, error.message
    except BaseException as error:
        traceback.print_exc()
        ending, reason = (JobStatus.NAN if is_nan(error) else JobStatus.FAILED), one_line(error)
    signal.signal(signal.SIGTERM, before)
    backup.restore(trial_dir)
    result = JobResult(ending, job.attempt, newest_step_below(trial_dir.path), reason, tags=tags)
    result.hidden(job.hiding()).write(trial_dir.result_file)


def _exited(error: SystemExit) -> tuple[JobStatus, str]:
    """Say what a script's own exit means; a text is its last word, as for an interpreter."""
    if isinstance(error.code, int):
        return JobStatus.FAILED, f"{EXITED} {error.code}"
    print(error.code, file=sys.stderr, flush=True)  # noqa: T201
    words = str(error.code).strip().splitlines()
    return JobStatus.FAILED, f"the command exited: {words[-1]}" if words else f"{EXITED} 1"


def _stopper(control: ScriptControl) -> Callable[[int, FrameType | None], None]:
    """Make the handler of SIGTERM: an Estimator stops at its checkpoint, anything else at once."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        control.request.ask()
        if not control.busy:
            raise TrialStopped

    return stop


def _execute_to_its_end(program: Program, estimators: ScriptedEstimators) -> str:
    """Run it, and what is left to do if it ends well; return what is remarkable about that."""
    try:
        _execute(program)
    except SystemExit as error:
        if error.code not in (None, 0):
            raise
    return estimators.finish()


def _execute(program: Program) -> None:
    """Run a module or file as ``__main__``."""
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    sys.argv = [program.target, *program.arguments]
    if program.kind == "module":
        _first_path(os.getcwd())  # noqa: PTH109
        runpy._run_module_as_main(program.target)  # type: ignore[attr-defined]
        return
    file = Path(program.target)
    if file.is_dir():
        _first_path(str(file.absolute()))
        runpy.run_path(str(file.absolute()), run_name="__main__")
        return
    _first_path(str(file.resolve().parent))
    main.__dict__.update(
        __file__=program.target, __cached__=None, __loader__=SourceFileLoader("__main__", program.target)
    )
    exec(compile(file.read_bytes(), program.target, "exec"), main.__dict__)


def _first_path(folder: str) -> None:
    """Put ``folder`` where the interpreter would have: first on the path, in place of ours."""
    if getattr(sys.flags, "safe_path", False):
        return
    if sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109
        sys.path.pop(0)
    sys.path.insert(0, folder)
    sys.path_importer_cache.clear()
