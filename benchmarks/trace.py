"""``python -m benchmarks.trace``: which files of tuner one trial's data goes through, in how many calls.

Nothing is trained: a backend writes event files as an Estimator does, and reads them as every backend does. All else is
what a sweep runs with: the loop, the study, a scheduler, the record log, MLflow with a database of its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import tuner
from tuner.backends import Backend, Ended, Message, Started
from tuner.backends.base import Reported
from tuner.backends.simulated.event_files import EventFiles
from tuner.config import parse_spec
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.trial import Evaluation
from tuner.driver.context import LoopContext
from tuner.driver.loop import Loop
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_requests import StopRequests
from tuner.events import Follower
from tuner.files.paths import Root, SweepDir, TrialDir
from tuner.records.log import RecordLog
from tuner.records.record import SweepOpened
from tuner.schedulers import make_scheduler
from tuner.study import Study
from tuner.study.storage import open_storage

SPACE = """
name: traced
objective: {metric: rmse}
parameters: {rate: {type: float, low: 0.0, high: 1.0}}
train: {max_steps: 20, evaluate_every: 10}
search: {sampler: random, scheduler: median, trials: 12, workers: 1}
simulation: {task: surface}
"""
TARGETS: Mapping[str, int] = {"event file to decision": 15, "ask to job": 16, "record log to MLflow": 15}
"""At most so many files on each way."""

_PACKAGE = str(Path(tuner.__file__).parent)
_WAYS = {  # which call begins a way, and which one ends it when it returns
    "event file to decision": (("events/follower.py", "poll"), ("driver/loop.py", "_obey")),
    "ask to job": (("study/study.py", "ask"), ("driver/launch.py", "new_attempt")),
    "record log to MLflow": (("recorders/sender.py", "_send"), ("recorders/sender.py", "_send")),
}


class Tracer:
    """Note the calls on each way, the last time that it was gone."""

    def __init__(self) -> None:
        self.calls: dict[str, Counter[str]] = {}
        self._way = ""
        self._noted: Counter[str] = Counter()

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Note what is called in this thread meanwhile."""
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) or event not in ("call", "return"):
            return
        place = (file[len(_PACKAGE) + 1 :], frame.f_code.co_name)
        begun = next((way for way, (begin, _) in _WAYS.items() if begin == place), "")
        if event == "call" and begun:  # one that was begun and came to nothing is forgotten
            self._way, self._noted = begun, Counter()
        if self._way and event == "call":
            self._noted[place[0]] += 1
        if self._way and event == "return" and place == _WAYS[self._way][1]:
            self.calls[self._way], self._way = self._noted, ""


class EventFileBackend(Backend):
    """Write each trial's evaluations, and report them one at a time as its event file is read."""

    def __init__(self) -> None:
        self._followers: dict[int, tuple[Follower, TrialDir, list[int]]] = {}
        self._messages: list[Message] = []

    def open(self) -> list[str]:
        return []

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        job.write(trial_dir.job_file)
        trial_dir.own_evaluations_file.write_text("eval\n", encoding="utf-8")  # as a trial's process says it
        self._followers[job.trial] = (Follower(trial_dir.path), trial_dir, [10, 20])
        self._messages.append(Started(job.trial, "here"))

    def wait(self, timeout_s: float) -> list[Message]:
        del timeout_s
        messages, self._messages = self._messages, []
        for trial, (follower, trial_dir, steps) in [] if messages else list(self._followers.items()):
            if not steps:
                del self._followers[trial]
                return [Ended(trial, JobResult(JobStatus.FINISHED, 1, 20))]
            loss = 1.0 / (steps[0] + trial)
            EventFiles().write(trial_dir, Evaluation(steps.pop(0), time.time(), "eval", {"rmse": loss, "loss": loss}))
            messages += [Reported(trial, evaluation) for evaluation in follower.poll()]
        return messages

    def stop(self, trial: int, kill: bool) -> None:
        del kill
        if trial in self._followers:
            del self._followers[trial]
            self._messages.append(Ended(trial, JobResult(JobStatus.STOPPED, 1, 10)))

    def close(self) -> None:
        self._followers.clear()


def trace(with_mlflow: bool = True) -> dict[str, Counter[str]]:
    """Return for each way how often which file was called, the last time that it was gone."""
    tracer = Tracer()
    with tempfile.TemporaryDirectory(prefix="trace-") as folder:
        sweep_dir = Root(Path(folder)).sweep("traced")
        sweep_dir.trials_dir.mkdir(parents=True)
        spec = parse_spec(SPACE, "trace", Path(folder))
        log = RecordLog(sweep_dir.records_file)
        log.append(SweepOpened("id", "traced", time.time(), {"rmse": "minimize"}, SPACE))
        context = LoopContext(
            study=Study(spec, open_storage(sweep_dir)),
            backend=EventFileBackend(),
            scheduler=make_scheduler(spec),
            log=log,
            display=NullDisplay(),
            stopping=StopRequests(sweep_dir.stop_file),
        )
        with tracer.tracing():
            Loop(spec, sweep_dir, context, workers=1, threads=1).run()
        log.close()
        if with_mlflow:
            _send(sweep_dir, tracer)
    return tracer.calls


def _send(sweep_dir: SweepDir, tracer: Tracer) -> None:
    """Send the record log to MLflow, the last evaluation by itself."""
    from tuner.recorders.mlflow.recorder import MlflowRecorder
    from tuner.recorders.sender import Sender

    lines = sweep_dir.records_file.read_bytes().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if b'"evaluation"' in line)
    sweep_dir.records_file.write_bytes(b"".join(lines[:last]))
    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, f"sqlite:///{sweep_dir.root.database_file}"))
    sender.step()
    with sweep_dir.records_file.open("ab") as file:
        file.write(lines[last])
    with tracer.tracing():
        sender.step()
    sender.close()


def main() -> int:
    """Print the ways; return 1 if one goes through more files than it should."""
    calls = trace()
    for way, most in TARGETS.items():
        files = calls[way]
        print(f"{way}: {len(files)} files (at most {most}), {sum(files.values())} calls")
        for file, count in files.items():
            print(f"  {count:4} {file}")
    return int(any(len(calls[way]) > most for way, most in TARGETS.items()))


if __name__ == "__main__":
    sys.exit(main())
