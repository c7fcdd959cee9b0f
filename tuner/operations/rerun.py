"""Run a trial again from its record, beside it, and compare what it evaluates.

The job that the trial's last process was given stands in its folder: parameters, seed, steps, threads.
Nothing of the sweep is changed.
"""

from __future__ import annotations

import contextlib
import math
import shlex
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backends import Ended, Message
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef
from tuner.domain.tags import FORKED_AT, FORKED_FROM, INPUT_POSITION
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput, Problem, SweepError
from tuner.events import FirstValueFilter, read_all
from tuner.events.first_values import same_bits
from tuner.events.foreign import begun_since
from tuner.files import checkpoints
from tuner.files.paths import SweepDir, TrialDir
from tuner.records.trials import idle_trials
from tuner.results import Trial

Key = tuple[str, int, str]  # folder, global step, tag


@dataclass(frozen=True)
class Rerun:
    """A trial that was run again.

    Attributes:
        compared: How many values were compared.
        differences: A line for each value that is not the recorded one to the last bit.
        reasons: What is known that may have made it differ, a line each.
    """

    compared: int
    differences: tuple[str, ...]
    reasons: tuple[str, ...] = ()


def rerun(sweep_dir: SweepDir, model: ModelRef | None, trial: Trial) -> Rerun:
    """Run ``trial`` again in a folder of its own, to the step that was recorded, and compare.

    Raises:
        InvalidInput: The trial left no job, or nothing that could be compared.
        SweepError: It failed this time.
    """
    trial_dir = sweep_dir.trial(trial.number)
    try:
        recorded = Job.read(trial_dir.job_file)
    except FileNotFoundError:
        hint = "a simulated one trains nothing and leaves none"
        message = f"trial {trial.number} left no job that can be read"
        raise InvalidInput("", [Problem("", f"{message}: {trial_dir.job_file} is not there", hint)]) from None
    except (OSError, ValueError) as error:
        raise InvalidInput("", f"trial {trial.number} left no job that can be read: {error}") from error
    if recorded.command:
        raise InvalidInput(
            "", f"trial {trial.number} is a command, which runs again by itself: {shlex.join(recorded.command)}"
        )
    if recorded.task is not None:
        raise InvalidInput(
            "", f"trial {trial.number} is a cluster, whose tasks train asynchronously: no two runs of it are equal"
        )
    idle_since = idle_trials(sweep_dir.records_file).get(trial.number, math.inf)
    expected = _values(trial_dir.path, trial.record.step, begun_since(trial_dir.path, idle_since))
    recorded = replace(recorded, model=model or recorded.model)  # a project may have been moved since
    if not expected or recorded.model is None:
        raise InvalidInput("", f"trial {trial.number} is {trial.state.value} and has no evaluation to compare with")
    stop_at = None if trial.state is TrialState.COMPLETE else trial.record.step
    with tempfile.TemporaryDirectory(prefix="tuner-rerun-") as folder:
        again = TrialDir(Path(folder) / trial_dir.path.name)
        _begin_as(trial, sweep_dir, again)
        backend = LocalBackend(recorded.model, Path(folder) / "server.log")
        try:
            backend.open()
            backend.start(replace(recorded, attempt=1, stop_at=stop_at), again)
            messages: list[Message] = []
            while not any(isinstance(message, Ended) for message in messages):
                messages += backend.wait(1.0)
        finally:
            backend.close()
        end = next(message for message in messages if isinstance(message, Ended)).result
        if end.ending not in (JobStatus.FINISHED, JobStatus.STOPPED):
            raise SweepError(f"trial {trial.number} failed this time: {end.reason}", _tail(again))
        done = _compared(expected, _values(again.path, trial.record.step))
        return replace(done, reasons=tuple(_reasons(trial, recorded.model)) if done.differences else ())


def _begin_as(trial: Trial, sweep_dir: SweepDir, again: TrialDir) -> None:
    """Give the trial the checkpoint that it began with, if it began with another one's."""
    donor = trial.record.tags.get(FORKED_FROM)
    if donor is None:
        return
    step = int(trial.record.tags[FORKED_AT])
    try:
        checkpoints.fork(sweep_dir.trial(int(donor)).path, step, again.path)
    except OSError as error:
        raise InvalidInput(
            "", f"trial {trial.number} began with the checkpoint of trial {donor} at step {step}, which is gone"
        ) from error


def _values(folder: Path, last: int | None, later: Collection[str] = ()) -> Mapping[Key, float]:
    """Return what evaluations say up to a step, those in ``later`` files left out: the first value of each stands."""
    first = FirstValueFilter()
    found: dict[Key, float] = {}
    for evaluation in filter(None, map(first.filter, read_all(folder, without=later))):
        if evaluation.folder and (last is None or evaluation.step <= last):
            for tag, value in evaluation.scalars.items():
                found.setdefault((evaluation.folder, evaluation.step, tag), value)
    return found


def _compared(expected: Mapping[Key, float], found: Mapping[Key, float]) -> Rerun:
    differences = []
    for key in sorted({*expected, *found}):
        folder, step, tag = key
        if key not in found:
            differences.append(f"{folder}/{tag} at step {step}: recorded {expected[key]!r}, not evaluated again")
        elif key not in expected:
            differences.append(f"{folder}/{tag} at step {step}: not recorded, again {found[key]!r}")
        elif not same_bits(expected[key], found[key]):
            differences.append(f"{folder}/{tag} at step {step}: recorded {expected[key]!r}, again {found[key]!r}")
    return Rerun(len({*expected, *found}), tuple(differences))


def _reasons(trial: Trial, model: ModelRef) -> Iterator[str]:
    """Yield what is known of a trial that makes it train otherwise when it runs again whole."""
    record = trial.record
    if record.attempts > 1 and (why := record.tags.get(INPUT_POSITION)):
        yield f"it was resumed without the position in its input ({why})"
    with contextlib.suppress(OSError):
        written = Path(model.file).stat().st_mtime if model.file else 0.0
        if record.started and written > record.started:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(written))
            yield f"{Path(model.file).name} was written at {at}, after the trial began, so that its text may be another"


def _tail(trial_dir: TrialDir) -> str:
    lines = trial_dir.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-15:])
