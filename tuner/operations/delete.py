"""Delete a sweep, or one of its trials, with its runs and the models that were exported from them.

Models and runs go first and the folder last: a deletion that was interrupted can be said again. MLflow
keeps deleted runs and models until ``mlflow gc``. A model that was registered stays, because it may be
served. A trial that is deleted stays in the study, which has learned from it and counts it; it is no longer
shown, compared or exported.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tuner.config.manifest import copies_of, identity_of, read_manifest
from tuner.errors import InvalidInput, StoreError
from tuner.files.driver_lock import DriverLock, at_work, refusal
from tuner.files.outside import trained_outside
from tuner.files.paths import SweepDir
from tuner.files.run_ids import RunIds, parent_run_id, run_ids
from tuner.recorders.mlflow.deletion import ExportedModel, RecordedRuns
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.results import SweepResult
from tuner.study import Study
from tuner.study.database import missing_file
from tuner.study.journal_file import repair
from tuner.study.storage import delete_study, open_storage
from tuner.text import show_size


@dataclass(frozen=True)
class Deletion:
    """What is to be deleted; nothing is before ``carry_out``.

    Attributes:
        lines: What goes, a line each.
        carry_out: Deletes it.
        kept: What stays and how it is deleted, a line each.
    """

    lines: tuple[str, ...]
    carry_out: Callable[[], None]
    kept: tuple[str, ...] = ()


def plan_deletion(sweep_dir: SweepDir, trial: int | None = None) -> Deletion:
    """Return what deleting a sweep, or one trial of it, takes away.

    A copy of a sweep's folder goes alone: the runs are those of the sweep. A sweep that is damaged can be deleted.

    Raises:
        InvalidInput: There is no such sweep or trial, or the trial is not finished.
        RecorderError: MLflow is away.
    """
    recorded = RecordedRuns(sweep_dir, os.environ.get("MLFLOW_TRACKING_URI"))
    if trial is None:
        _refuse_at_work(sweep_dir)
        return _of_sweep(sweep_dir, recorded)
    frozen = read_manifest(sweep_dir)
    _refuse_at_work(sweep_dir)
    found = {t.number: t for t in SweepResult(sweep_dir, frozen.spec, frozen.storage_url).trials}
    runs, parent = run_ids(sweep_dir), parent_run_id(sweep_dir)
    if trial not in found:
        raise InvalidInput("", f"the sweep {sweep_dir.name!r} has no trial {trial}; see: tuner show {sweep_dir.name}")
    if not found[trial].state.is_finished:
        raise InvalidInput(
            "",
            f"trial {trial} is {found[trial].state.value} and may go on; expected COMPLETE, PRUNED or FAIL",
        )
    folder = sweep_dir.trial(trial).path
    doomed = [runs[trial]] if trial in runs else []
    models = recorded.models(doomed, parent, trial)
    lines = (_line(f"trial {trial} of {sweep_dir.name}", len(doomed), models, folder),)

    def carry_out() -> None:
        with _alone(sweep_dir):
            recorded.delete_models(models)
            recorded.delete_runs(doomed)
            if not frozen.storage_url:
                repair(sweep_dir.journal_file)
            study = Study(frozen.spec, open_storage(sweep_dir, frozen.storage_url))
            study.forget(trial)
            RunIds(sweep_dir.runs_file).delete(trial)
            _remove(folder)

    return Deletion(lines, carry_out, (*_kept(models, recorded), *_outside(sweep_dir, trial)))


def _of_sweep(sweep_dir: SweepDir, recorded: RecordedRuns) -> Deletion:
    """Return what deleting a whole sweep takes away."""
    copies = copies_of(sweep_dir)
    try:
        storage_url = read_manifest(sweep_dir).storage_url
    except StoreError:
        storage_url = ""  # damaged: a study on a database stays
    except InvalidInput:
        if not copies:
            raise
        size = f"copy {sweep_dir.name}: {_size(sweep_dir.path)} in {sweep_dir.path}"
        kept = f"the MLflow runs, which are those of {', '.join(other.name for other in copies)} as well"
        return Deletion((size,), lambda: _delete_sweep(sweep_dir, recorded, (), (), ""), (kept,))
    ids = RunIds(sweep_dir.runs_file)
    runs, parents = dict(ids.trials), [ids.parent] if ids.parent else []
    if ids.damaged:
        in_store = MlflowReader(sweep_dir, os.environ.get("MLFLOW_TRACKING_URI"))
        own, others = in_store.runs(identity_of(sweep_dir))
        parents += [run_id for run_id, _ in own]
        runs |= {trial: run_id for trial, found in others.items() for run_id in found}
    doomed = [*runs.values(), *dict.fromkeys(parents)]
    models = recorded.models(doomed)
    there = len(runs.keys() - ids.deleted) + len(set(parents))
    lines = (_line(f"sweep {sweep_dir.name}", there, models, sweep_dir.path),)
    kept_copies = tuple(f"{other.path}, a copy whose runs these are, too" for other in copies)
    return Deletion(
        lines,
        lambda: _delete_sweep(sweep_dir, recorded, doomed, models, storage_url),
        (*_kept(models, recorded), *kept_copies, *_outside(sweep_dir)),
    )


def _line(what: str, runs: int, models: Sequence[ExportedModel], folder: Path) -> str:
    gone = sum(not model.versions for model in models)
    exported = f", {_counted(gone, 'exported model')}" if gone else ""
    return f"{what}: {_counted(runs, 'MLflow run')}{exported}, and {_size(folder)} in {folder}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _kept(models: Iterable[ExportedModel], recorded: RecordedRuns) -> tuple[str, ...]:
    return tuple(line for model in models for line in model.kept(recorded.own_uri))


def _outside(sweep_dir: SweepDir, trial: int | None = None) -> Iterator[str]:
    """Yield a line for each folder outside of the sweep's in which a trial, or that one, trained."""
    for number, folder in trained_outside(sweep_dir):
        if trial in (None, number):
            yield f"{folder} stays: trial {number} trained there, outside of the sweep's folder"


def _delete_sweep(
    sweep_dir: SweepDir,
    recorded: RecordedRuns,
    runs: Sequence[str],
    models: Sequence[ExportedModel],
    storage_url: str,
) -> None:
    with _alone(sweep_dir):
        recorded.delete_models(models)
        recorded.delete_runs(runs)
        if storage_url and not missing_file(storage_url):
            delete_study(sweep_dir, storage_url)
        _remove(sweep_dir.path)


@contextmanager
def _alone(sweep_dir: SweepDir) -> Iterator[None]:
    """Keep drivers away meanwhile."""
    with DriverLock(sweep_dir.driver_file):
        _refuse_at_work(sweep_dir)
        yield


def _refuse_at_work(sweep_dir: SweepDir) -> None:
    me = (os.getpid(), socket.gethostname())
    others = [driver for driver in at_work(sweep_dir) if (driver.get("pid"), driver.get("host")) != me]
    if others:
        raise refusal(sweep_dir.name, others)


def _remove(folder: Path) -> None:
    """Remove a folder; renamed first, so that no half of it is ever taken for a whole."""
    beside = folder.with_name(f".deleted-{folder.name}-{os.getpid()}")
    if folder.exists():
        folder.replace(beside)
    for left in folder.parent.glob(f".deleted-{folder.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _size(folder: Path) -> str:
    return show_size(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
