"""A backend whose trials are over at once: what is left is what the loop itself costs."""

from __future__ import annotations

import time

from tuner.backends import Backend, Ended, Message, Reported, Started
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.trial import Evaluation
from tuner.files.paths import TrialDir


class InstantBackend(Backend):
    """Evaluate each trial at once, at every ``evaluate_every`` steps; see ``tuner.backends.Backend``."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def open(self) -> list[str]:
        return []

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        job.write(trial_dir.job_file)
        every, last = job.train.evaluate_every, job.train.max_steps or 0
        self._messages.append(Started(job.trial, "here"))
        for step in range(every, last + 1, every):
            loss = abs(float(job.params["x"]) - 0.3) + 1.0 / step  # type: ignore[arg-type]
            scalars = {"loss": loss, "rmse": loss, "mae": loss, "global_step": float(step)}
            self._messages.append(Reported(job.trial, Evaluation(step, time.time(), "eval", scalars)))
        self._messages.append(Ended(job.trial, JobResult(JobStatus.FINISHED, job.attempt, last)))

    def wait(self, timeout_s: float) -> list[Message]:
        del timeout_s
        messages, self._messages = self._messages, []
        return messages

    def stop(self, trial: int, kill: bool) -> None:
        del trial, kill

    def close(self) -> None:
        self._messages.clear()
