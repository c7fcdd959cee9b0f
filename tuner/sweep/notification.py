"""Somebody is told that a sweep ended: by a command of theirs, by a POST to an address."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from tuner.domain.spec import Notify
from tuner.results import SweepResult

_COMMAND_S = 60.0
_POST_S = 10.0


def message(result: SweepResult, state: str, reason: str) -> dict[str, Any]:
    """Return what is told of a sweep; ``text`` alone is what chat programs show.

    Args:
        result: Its trials.
        state: ``finished`` or ``failed``.
        reason: Which limit was reached, or what went wrong, in a line.
    """
    best = result.best_or_none
    name = result.spec.name
    values = ", ".join(f"{metric} {value:.6g}" for metric, value in best.values.items()) if best else ""
    shown = f"; best: trial {best.number}, {values}" if best else ""
    return {
        "text": f"sweep {name} {state}: {reason}{shown}",
        "sweep": name,
        "state": state,
        "reason": reason,
        "trials": len(result.trials),
        "best": {"trial": best.number, "values": best.values, "params": best.params} if best else None,
    }


def notify(settings: Notify, told: Mapping[str, Any]) -> Iterator[str]:
    """Tell it; yield a line for each way on which it did not arrive."""
    if settings.command and (problem := _run(settings.command, told)):
        yield f"notify.command failed: {problem}"
    if settings.url and (problem := _post(os.path.expandvars(settings.url), told)):
        yield f"notify.url failed: {problem}"


def _run(command: str, told: Mapping[str, Any]) -> str:
    """Run a command of the shell; return what went wrong, or nothing."""
    best = told["best"] or {}
    env = {
        **os.environ,
        "TUNER_TEXT": told["text"],
        "TUNER_SWEEP": told["sweep"],
        "TUNER_STATE": told["state"],
        "TUNER_REASON": told["reason"],
        "TUNER_TRIALS": str(told["trials"]),
        "TUNER_BEST_TRIAL": str(best.get("trial", "")),
        "TUNER_JSON": json.dumps(told, default=str),
    }
    try:
        done = subprocess.run(
            command, shell=True, env=env, capture_output=True, text=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"status {done.returncode}{f': {said[-1]}' if said else ''}" if done.returncode else ""


def _post(url: str, told: Mapping[str, Any]) -> str:
    """Send it as JSON; return what went wrong, or nothing. The address, which may be secret, is not said."""
    data = json.dumps(told, default=str).encode()
    try:
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_POST_S):
            return ""
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}" if url not in str(error) else type(error).__name__
