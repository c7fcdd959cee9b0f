"""Trials in this process, one at a time: for a debugger.

The trial runs in a thread of its own, and only while the driver waits for messages: after each
evaluation it stands still until the driver has read and judged it. So a breakpoint in a model stops
everything, and the decision of a scheduler is obeyed at the step it was given for.
"""

from __future__ import annotations

import os
import queue
import threading
import time

from tuner.backends.base import Backend, Ended, Message, Placement, Reported, Started
from tuner.backends.resources import cores
from tuner.domain.job import Job, JobResult
from tuner.domain.spec import ModelRef, SweepSpec
from tuner.errors import BackendError
from tuner.estimator.stop_control import StopRequest
from tuner.events import Follower
from tuner.files.paths import SweepDir, TrialDir


class InlineBackend(Backend):
    """Run trials in this process; see ``Backend``."""

    @classmethod
    def place(cls, spec: SweepSpec, sweep_dir: SweepDir) -> Placement:  # noqa: ARG003
        assert spec.model is not None
        return Placement(cls(spec.model), 1, cores())

    def __init__(self, model: ModelRef) -> None:
        self._model = model
        self._waiting: list[tuple[Job, TrialDir]] = []
        self._running: _Running | None = None

    def open(self) -> list[str]:
        from tuner.estimator.install import install_estimator
        from tuner.model import load_model

        install_estimator()
        load_model(self._model)
        return ["backend inline: one trial at a time in this process; nothing limits its memory or its crashes"]

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        trial_dir.result_file.unlink(missing_ok=True)
        job.write(trial_dir.job_file)
        self._waiting.append((job, trial_dir))

    def wait(self, timeout_s: float) -> list[Message]:
        if self._running is None:
            if not self._waiting:
                time.sleep(timeout_s)
                return []
            self._running = _Running(*self._waiting.pop(0))
            return [Started(self._running.job.trial, f"pid {self._running.pid}")]
        messages = self._running.step(timeout_s)
        if messages and isinstance(messages[-1], Ended):
            self._running = None
        return messages

    def stop(self, trial: int, kill: bool) -> None:
        del kill  # a thread cannot be killed: it stops at its next checkpoint
        if self._running is not None and self._running.job.trial == trial:
            self._running.request.ask()

    def close(self) -> None:
        if self._running is not None:
            self._running.request.ask()
            deadline = time.monotonic() + 60
            while not any(isinstance(message, Ended) for message in self._running.step(1)):
                if time.monotonic() > deadline:
                    raise BackendError("an inline trial did not stop at a checkpoint within 60 s")
            self._running = None
        self._waiting.clear()


class _Running:
    """The thread of one trial, which runs only while ``step`` is being called."""

    def __init__(self, job: Job, trial_dir: TrialDir) -> None:
        self.job = job
        self.pid = os.getpid()
        self.request = StopRequest()
        self._dir = trial_dir
        self._follower = Follower(trial_dir.path)
        self._turn = threading.Semaphore(0)
        self._said: queue.Queue[JobResult | BaseException | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=f"trial-{job.trial}", daemon=True)
        self._stepping = False
        self._thread.start()

    def step(self, timeout_s: float) -> list[Message]:
        """Let the trial run to the end of its next evaluation or of itself, at most ``timeout_s`` seconds."""
        if not self._stepping:
            self._stepping = True
            self._turn.release()
        try:
            said = self._said.get(timeout=timeout_s)
        except queue.Empty:
            return self._reports()
        self._stepping = False
        if isinstance(said, BaseException):
            raise said
        reports = self._reports()
        damage = tuple(map(str, self._follower.damage))
        return reports + ([Ended(self.job.trial, said, damage)] if said is not None else [])

    def _reports(self) -> list[Message]:
        return [Reported(self.job.trial, evaluation) for evaluation in self._follower.poll()]

    def _run(self) -> None:
        from tuner.trial.run import run_job

        self._turn.acquire()
        try:
            result = run_job(self.job, self._dir, self.request, after_evaluation=self._stand_still)
        except BaseException as error:
            self._said.put(error)
        else:
            self._said.put(result)

    def _stand_still(self) -> None:
        self._said.put(None)
        self._turn.acquire()
