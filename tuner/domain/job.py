"""What a trial process is asked to do and what it says when it ends; both cross as JSON files.

A job is written by the driver into the trial's folder; a result is written by the trial process
beside it. Neither says where the folder is, so that a root can be moved.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from tuner.domain.spec import ModelRef, TrainSettings
from tuner.domain.tags import NOTE
from tuner.domain.tf_cluster import Task
from tuner.files.atomic import write_whole
from tuner.files.paths import private_file
from tuner.hiding import HIDDEN, Hiding, hidden_words, secrets_in
from tuner.space.parameters import ParamValue
from tuner.text import legible_json

_KEYS = {"attempt": "life"}
"""Fields that files call otherwise: by the word of the first version, which reads and is read."""


@dataclass(frozen=True)
class Job:
    """One attempt of a trial: from its newest checkpoint, if there is one, to its end or its rung.

    Attributes:
        trial: Optuna's number of the trial.
        attempt: Counts the processes that this trial has had, from 1.
        params: The trial's parameters and constants.
        seed: Seeds Python's ``random``, NumPy and TensorFlow; 0 to 2**31 - 1.
        model: The user's model, or None in script mode.
        command: The command of script mode with its flags filled in, or an empty tuple.
        objectives: Tags of the objectives, if a command may write them anywhere.
        folders: Of these, the folder whose evaluations count, if the file says so.
        train: How long and how often.
        stop_at: Global step at which the trial stops by itself (a rung), or None for its end.
        threads: Threads of a session, at least 1.
        task: Which task of the trial's TensorFlow cluster this process is, or None: it is the whole trial.
        secrets: Names of parameters whose values are secrets.
        no_progress_timeout_s: The trial is ended if it makes no step within this time, or None.
    """

    trial: int
    attempt: int
    params: Mapping[str, ParamValue]
    seed: int
    train: TrainSettings
    model: ModelRef | None = None
    command: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    folders: Mapping[str, str] = field(default_factory=dict)
    stop_at: int | None = None
    threads: int = 1
    task: Task | None = None
    secrets: tuple[str, ...] = ()
    no_progress_timeout_s: float | None = None

    def write(self, file: Path) -> None:
        """Write the job to ``file``, and what is secret of it beside, for its owner alone."""
        params = {name: HIDDEN if name in self.secrets else value for name, value in self.params.items()}
        task = replace(self.task, secret="") if self.task else None
        shown = replace(self, params=params, command=hidden_words(self.command), task=task)
        if shown != self:
            of_secrets = {name: self.params[name] for name in self.secrets}
            secret = self.task.secret if self.task else ""
            private: dict[str, Any] = {"command": self.command, "params": of_secrets, "task_secret": secret}
            private[_KEYS["attempt"]] = self.attempt
            write_whole(private_file(file), json.dumps(private, indent=1), mode=0o600)
        else:
            private_file(file).unlink(missing_ok=True)
        write_whole(file, json.dumps(_in_file(shown), indent=1))

    def hiding(self) -> Hiding:
        """Return what hides the job's secrets in texts."""
        return Hiding({*secrets_in(self.command), *(str(self.params[name]) for name in self.secrets)})

    @classmethod
    def read(cls, file: Path) -> Job:
        """Read the job that ``file`` holds, with its secrets if they can be read; else they are ``***``.

        Raises:
            OSError: The file cannot be read.
            ValueError: It holds no job.
        """
        try:
            data = _known(cls, json.loads(file.read_text(encoding="utf-8")))
            data["train"] = TrainSettings(**data["train"])
            if data.get("model"):
                model = _known(ModelRef, data["model"])
                model["import_paths"] = tuple(model.get("import_paths", ()))
                data["model"] = ModelRef(**model)
            data["command"] = tuple(data.get("command", ()))
            data["objectives"] = tuple(data.get("objectives", ()))
            data["secrets"] = tuple(data.get("secrets", ()))
            private = _private(file, data)
            data["command"] = tuple(private.get("command", data["command"]))
            data["params"] = {**data["params"], **private.get("params", {})}
            if data.get("task"):
                data["task"] = Task.from_json({**data["task"], "secret": private.get("task_secret", "")})
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{file} is damaged: {type(error).__name__}: {error}") from error


def hiding_of_job(file: Path) -> Hiding:
    """Return what hides the secrets of the job in ``file``, and what looks like one if there is no job."""
    try:
        return Job.read(file).hiding()
    except (OSError, ValueError, TypeError, KeyError):
        return Hiding()


def killed_by(status: int) -> str:
    """Return by which signal a process was killed, in words, from its exit status, which is below 0."""
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"killed by {name}" + (" (out of memory?)" if -status == signal.SIGKILL else "")


EXITED = "the command exited with status"
NO_FIT = "the checkpoint does not fit the model"

"""How the reason of a trial begins that could not read the checkpoint it was to begin with."""


class JobStatus(str, Enum):
    """How a trial's process ended, as far as it could say."""

    FINISHED = "finished"  # trained to the end: max_steps, the input's end or the model's own early stopping
    STOPPED = "stopped"  # at a checkpoint, because it was asked to or had reached its rung
    NAN = "nan"  # the loss became NaN
    INFEASIBLE = "infeasible"  # the model refused the parameters
    FAILED = "failed"  # an exception, or the process died
    LOST = "lost"  # its backend lost it through no fault of the trial


@dataclass(frozen=True)
class JobResult:
    """How one attempt of a trial ended.

    Attributes:
        step: Global step of the newest checkpoint, or None.
        reason: The error's last line, the signal, the status; empty if all went well.
        died: Whether the process ended without a word: by a signal, by ``os._exit``.
        tags: What the trial process has to say on the run, for instance that the position in the
            input could not be checkpointed.
        seen: Tags of scalars that a command wrote anywhere.
    """

    ending: JobStatus
    attempt: int = 0
    step: int | None = None
    reason: str = ""
    died: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    seen: tuple[str, ...] = ()

    def hidden(self, hide: Hiding) -> JobResult:
        """Return it with no secret in its texts."""
        return replace(self, reason=hide(self.reason), tags=hide.values(self.tags))

    def noted(self, note: str) -> JobResult:
        """Return it with a note added to those that it has."""
        return replace(self, tags={**self.tags, NOTE: "; ".join(filter(None, (self.tags.get(NOTE), note)))})

    def write(self, file: Path) -> None:
        """Write the result to ``file``."""
        write_whole(file, json.dumps(_in_file(self), indent=1))

    @classmethod
    def read(cls, file: Path, attempt: int) -> JobResult | None:
        """Return what the trial's ``attempt`` left in ``file``; None if it left nothing whole."""
        try:
            data = _known(cls, legible_json(json.loads(file.read_text(encoding="utf-8"))))
            result = cls(**{**data, "ending": JobStatus(data["ending"]), "seen": tuple(data.get("seen", ()))})
            if not result._is_sound():
                return None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return result if result.attempt == attempt else None

    def _is_sound(self) -> bool:
        """Whether all is of its type: a damaged file may still be JSON."""
        numbers = type(self.attempt) is int and (self.step is None or type(self.step) is int)
        texts = [self.reason, *self.seen, *(self.tags.values() if isinstance(self.tags, dict) else [None])]
        return numbers and isinstance(self.died, bool) and all(isinstance(text, str) for text in texts)


def _private(job_file: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is secret of a job; nothing if it is another attempt's, or somebody else's."""
    try:
        data = json.loads(private_file(job_file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and data.get(_KEYS["attempt"]) == job.get("attempt") else {}


def _known(kind: type[Any], data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"expected a mapping, found {type(data).__name__}")
    names = {_KEYS.get(entry.name, entry.name): entry.name for entry in fields(kind)}
    return {names[key]: value for key, value in data.items() if key in names}


def _in_file(job: Job | JobResult) -> dict[str, Any]:
    return {_KEYS.get(name, name): value for name, value in asdict(job).items()}


def beginning(attempt: int, step: int | None, offered: bool = False) -> str:
    """Return how an attempt begins; nothing if that is the trial's own beginning.

    Args:
        attempt: Counts the processes that the trial has had, from 1.
        step: Global step of the checkpoint with which it begins, or None.
        offered: Whether it is for a program to go on from it, and nobody knows whether it does.
    """
    if step and offered:
        return f"is given its checkpoint of step {step}"
    if step:
        return f"resumed at step {step}" if attempt > 1 else f"begins with a checkpoint of step {step}"
    return "started again, without a checkpoint" if attempt > 1 else ""


def say_beginning(job: Job, step: int | None) -> None:
    """Say in the trial's log how its attempt begins, if that is worth a line."""
    if line := beginning(job.attempt, step):
        print(f"tuner: trial {job.trial}: {line}", file=sys.stderr, flush=True)  # noqa: T201
