"""The process in which a model's own ``space(trial)`` runs, so that the driver imports neither it nor TensorFlow.

Runs as ``python -m tuner.model_space.server FD`` with one end of a socket as file descriptor FD; JSON
lines both ways. From the driver: ``{"model": {...}}`` once, then ``{"do": "draw"}``, and after each
``suggest`` a ``{"value": ...}`` or an ``{"error": ...}``. To the driver: ``ready`` (whether the model
has such a function) or ``refused`` once, then for each draw any number of ``suggest`` with a
parameter, and ``drawn``, ``infeasible`` or ``failed``. It ends when the driver's end of the socket closes.
"""

from __future__ import annotations

import json
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from tuner.domain.spec import ModelRef
from tuner.errors import Infeasible, InvalidInput, TunerError
from tuner.model.error_text import full_text
from tuner.processes import ignore_signals
from tuner.space.parameters import ParamValue


class SpaceTrial:
    """What ``space(trial)`` is given: Optuna's ``suggest_*``, drawn by the driver's one sampler.

    What a parameter may be can depend on those before it, by plain Python.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._params: dict[str, ParamValue] = {}

    @property
    def params(self) -> dict[str, ParamValue]:
        """What has been suggested so far."""
        return dict(self._params)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest a number from ``low`` to ``high``, both included."""
        step = None if step is None else float(step)
        value: Any = self._suggest(kind="float", name=name, low=float(low), high=float(high), step=step, log=log)
        return float(value)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Suggest a whole number from ``low`` to ``high``, both included."""
        value: Any = self._suggest(kind="int", name=name, low=int(low), high=int(high), step=int(step), log=log)
        return int(value)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Suggest one of ``choices``: None, booleans, numbers, text, or lists of them."""
        return self._suggest(kind="categorical", name=name, choices=list(choices))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"trial.{name} is not there in space(trial): it has suggest_float, suggest_int, "
            "suggest_categorical and params; evaluations are reported by the event files"
        )

    def _suggest(self, **parameter: Any) -> ParamValue:
        send(self._stream, event="suggest", parameter=parameter)
        answer = json.loads(self._stream.readline() or '{"error": "the driver is gone"}')
        if "error" in answer:
            raise ValueError(answer["error"])
        value: ParamValue = answer["value"]
        self._params[parameter["name"]] = value
        return value


def send(stream: TextIO, **message: Any) -> None:
    """Write a message as one line."""
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def serve(stream: TextIO) -> None:
    """Load the model, and run its ``space`` whenever the driver asks."""
    from tuner.estimator.install import install_estimator
    from tuner.model import load_model

    data = json.loads(stream.readline())["model"]
    try:
        install_estimator()
        model = load_model(ModelRef(**{**data, "import_paths": tuple(data["import_paths"])}))
    except InvalidInput as error:
        send(stream, event="refused", source=error.source, problems=[vars(p) for p in error.problems])
        return
    except TunerError as error:
        send(stream, event="refused", source="", problems=[{"where": "", "message": str(error), "hint": ""}])
        return
    space = model.function("space")
    send(stream, event="ready", space=space is not None)
    while space is not None and stream.readline():
        try:
            constants = space(SpaceTrial(stream))
            send(stream, event="drawn", constants=_constants(constants))
        except Infeasible as error:
            send(stream, event="infeasible", reason=error.message)
        except Exception as error:
            traceback.print_exc()
            send(stream, event="failed", reason=full_text(error))


def _constants(returned: Any) -> dict[str, Any]:
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise TypeError(f"space(trial) returned {type(returned).__name__}, expected nothing or a mapping of constants")
    return dict(returned)


def main() -> None:
    """Serve on the file descriptor that the command line names."""
    ignore_signals()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel.makefile("rw", encoding="utf-8", newline="\n"))


if __name__ == "__main__":
    main()
