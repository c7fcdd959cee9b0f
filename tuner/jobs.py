"""What a trial process is asked to do and what it says when it ends; both cross as JSON files.

A job is written by the driver into the trial's folder; a result is written by the trial process
beside it. Neither says where the folder is, so that a root can be moved.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from tuner.paths import write_whole
from tuner.spec import ModelRef, TrainSettings
from tuner.tasks import Task
from tuner.values import ParamValue


@dataclass(frozen=True)
class Job:
    """One life of a trial: from its newest checkpoint, if there is one, to its end or its rung.

    Attributes:
        trial: Optuna's number of the trial.
        life: Counts the processes that this trial has had, from 1.
        params: The trial's parameters and constants.
        seed: Seeds Python's ``random``, NumPy and TensorFlow; 0 to 2**31 - 1.
        model: The user's model, or None in script mode.
        command: The command of script mode with its flags filled in, or an empty tuple.
        objectives: Tags of the objectives, where a command may write them anywhere.
        folders: Of these, the folder whose evaluations count, where the file says so.
        train: How long and how often.
        stop_at: Global step at which the trial stops by itself (a rung), or None for its end.
        threads: Threads of a session, at least 1.
        task: Which task of the trial's TensorFlow cluster this process is, or None: it is the whole trial.
    """

    trial: int
    life: int
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

    def write(self, file: Path) -> None:
        """Write the job to ``file``."""
        write_whole(file, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, file: Path) -> Job:
        """Read the job that ``file`` holds.

        Raises:
            OSError: The file cannot be read.
            ValueError: It holds no job.
        """
        data = _known(cls, json.loads(file.read_text(encoding="utf-8")))
        data["train"] = TrainSettings(**data["train"])
        if data.get("model"):
            model = _known(ModelRef, data["model"])
            model["import_paths"] = tuple(model.get("import_paths", ()))
            data["model"] = ModelRef(**model)
        data["command"] = tuple(data.get("command", ()))
        data["objectives"] = tuple(data.get("objectives", ()))
        if data.get("task"):
            data["task"] = Task.from_json(data["task"])
        return cls(**data)


def killed_by(status: int) -> str:
    """Return by which signal a process was killed, in words, from its exit status, which is below 0."""
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"killed by {name}" + (" (out of memory?)" if -status == signal.SIGKILL else "")


NO_FIT = "the checkpoint does not fit the model"
"""How the reason of a trial begins that could not read the checkpoint it was to begin with."""


class Ending(str, Enum):
    """How a trial's process ended, as far as it could say."""

    FINISHED = "finished"  # trained to the end: max_steps, the input's end or the model's own early stopping
    STOPPED = "stopped"  # at a checkpoint, because it was asked to or had reached its rung
    NAN = "nan"  # the loss became NaN
    INFEASIBLE = "infeasible"  # the model refused the parameters
    FAILED = "failed"  # an exception, or the process died
    LOST = "lost"  # its backend lost it through no fault of the trial


@dataclass(frozen=True)
class Result:
    """How one life of a trial ended.

    Attributes:
        step: Global step of the newest checkpoint, or None.
        reason: The error's last line, the signal, the status; empty where all went well.
        died: Whether the process ended without a word: by a signal, by ``os._exit``.
        tags: What the trial process has to say on the run, for instance that the position in the
            input could not be checkpointed.
        seen: Tags of scalars that a command wrote anywhere.
    """

    ending: Ending
    life: int = 0
    step: int | None = None
    reason: str = ""
    died: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    seen: tuple[str, ...] = ()

    def write(self, file: Path) -> None:
        """Write the result to ``file``."""
        write_whole(file, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, file: Path, life: int) -> Result | None:
        """Return what the trial's ``life`` left in ``file``; None if it left nothing whole."""
        try:
            data = _known(cls, json.loads(file.read_text(encoding="utf-8")))
            result = cls(**{**data, "ending": Ending(data["ending"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return result if result.life == life else None


def _known(kind: type[Any], data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"expected a mapping, found {type(data).__name__}")
    names = {entry.name for entry in fields(kind)}
    return {key: value for key, value in data.items() if key in names}
