"""A space that the model defines by running: the driver's end of ``tuner.model_space.server``.

The function runs in a process of its own and not in the fork server: not every backend has one in
reach of the driver, and a function that hangs or crashes should take no trial with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

from tuner.config.sampler_options import METHODS, sampler_kind
from tuner.domain.spec import ModelRef, SweepSpec
from tuner.errors import BackendError, Infeasible, InvalidInput, Problem
from tuner.processes import start_server
from tuner.schedulers import scheduler_class
from tuner.space import Categorical, Float, Int, Parameter
from tuner.space.conditions import Choose, Walk
from tuner.space.parameters import ParamValue

DRAW_S = 60.0  # how long a ``space(trial)`` may take


class ModelSpace:
    """Ask the model's ``space(trial)`` for a trial's parameters.

    Args:
        model: The user's model.
        log_file: Where the process's own output goes.
    """

    def __init__(self, model: ModelRef, log_file: Path) -> None:
        self._model = model
        self._log_file = log_file
        self._process, ours = start_server("tuner.model_space.server", log_file)
        self._socket = ours
        self._stream = ours.makefile("rw", encoding="utf-8", newline="\n")
        self._send(model=dataclasses.asdict(model))

    def ready(self) -> bool:
        """Wait until the model is imported; return whether it has such a function.

        Raises:
            InvalidInput: The model cannot be used.
            BackendError: The process died.
        """
        said = self._receive()
        if said["event"] == "refused":
            raise InvalidInput(said["source"], [Problem(**problem) for problem in said["problems"]])
        return bool(said["space"])

    def walk(self, choose: Choose) -> dict[str, ParamValue]:
        """Run ``space(trial)`` once, choosing what it suggests; see ``tuner.space.conditions.Walk``.

        Raises:
            Infeasible: The function raised it: what was chosen up to there cannot be tried.
            InvalidInput: It raised something else, or took too long.
            BackendError: The process died.
        """
        self._socket.settimeout(DRAW_S)
        self._send(do="draw")
        drawn: dict[str, ParamValue] = {}
        refused: Infeasible | None = None
        while True:
            said = self._receive()
            if refused is not None and said["event"] != "suggest":
                raise refused
            if said["event"] == "drawn":
                return {**drawn, **said["constants"]}
            if said["event"] == "infeasible":
                raise Infeasible(said["reason"])
            if said["event"] == "failed":
                raise InvalidInput(f"model {self._model}", f"space(trial) failed: {said['reason']}")
            try:
                parameter = _parameter(said["parameter"])
                drawn[parameter.name] = choose(parameter)
            except (ValueError, TypeError, Infeasible) as error:
                refused = error if isinstance(error, Infeasible) else refused
                self._send(error=f"{said['parameter']['name']}: {error}")
            else:
                self._send(value=drawn[parameter.name])

    def close(self) -> None:
        """End the process; allowed more than once."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # it is gone: the next read says so
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._stream.readline()
        except TimeoutError as error:
            raise InvalidInput(
                f"model {self._model}", f"space(trial) suggested nothing for {DRAW_S:g} s, expected an end of it"
            ) from error
        except OSError:
            line = ""
        if not line:
            raise BackendError(
                f"the process that runs space(trial) of model {self._model} ended",
                f"its output is in {self._log_file}",
            )
        said: dict[str, Any] = json.loads(line)
        return said


def open_model_space(spec: SweepSpec, log_file: Path) -> ModelSpace | None:
    """Start what draws from the model's own space, if the file has no parameters; else return None."""
    if spec.model is None or spec.space.parameters or spec.space.constants:
        return None
    return ModelSpace(spec.model, log_file)


def walk_of(space: ModelSpace | None, spec: SweepSpec) -> Walk | None:
    """Return how the model goes through its own space; None if it has none.

    Raises:
        InvalidInput: The model cannot be used, or the sampler or scheduler needs parameters in the file.
    """
    if space is None or not space.ready():
        return None
    sampler, scheduler = spec.search.sampler.name, spec.search.scheduler.name
    needs = {
        sampler: ("search.sampler", sampler_kind(sampler).lists_values),
        scheduler: ("search.scheduler", scheduler_class(scheduler, spec.import_paths).needs_listed_parameters),
    }
    problems = [
        Problem(
            "search.method" if name in METHODS else where,
            f"{name} needs parameters in the file, and the space is the model's space(trial)",
            "write them under parameters:, or choose search: {sampler: tpe, scheduler: asha}",
        )
        for name, (where, is_needed) in needs.items()
        if is_needed
    ]
    if problems:
        raise InvalidInput("", problems)
    return space.walk


def _parameter(data: dict[str, Any]) -> Parameter:
    kind, name = data["kind"], data["name"]
    if kind == "categorical":
        if not data["choices"]:
            raise ValueError("there is no choice")
        return Categorical(name, tuple(data["choices"]))
    if data["low"] > data["high"]:
        raise ValueError(f"low ({data['low']}) is above high ({data['high']})")
    if kind == "int":
        return Int(name, data["low"], data["high"], data["log"], data["step"])
    return Float(name, data["low"], data["high"], data["log"], data["step"])
