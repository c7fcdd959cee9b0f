"""The GPUs of this machine and which trial gets which: no TensorFlow and no CUDA, so that parents may fork.

Devices come in as the names that ``CUDA_VISIBLE_DEVICES`` takes; the environment of a trial goes out.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

GPUS_VARIABLE = "TUNER_GPUS"
"""Names the devices of this machine, comma separated, if ``nvidia-smi`` cannot say them."""

_QUERY = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
_QUERY_S = 20.0  # a driver that is not loaded yet takes seconds


def visible_gpus(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the devices that trials may use, as ``CUDA_VISIBLE_DEVICES`` names them.

    ``TUNER_GPUS`` names them if it is set; otherwise they are asked of ``nvidia-smi``, else of
    ``/dev``. ``CUDA_VISIBLE_DEVICES`` chooses among them as CUDA itself does.
    """
    if (named := environment.get(GPUS_VARIABLE)) is not None:
        return _names(named)
    there = _devices()
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or not there:
        return there
    # A device of another form than an index (GPU-..., MIG-...) is taken at its word.
    known = _names(chosen)
    wrong = next((at for at, name in enumerate(known) if name.lstrip("-").isdecimal() and name not in there), None)
    return known[:wrong]  # CUDA ignores a device that is not there, and all behind it


def environment_of(devices: Sequence[str], shared: bool) -> dict[str, str]:
    """Return what a trial that may use ``devices`` needs in its environment.

    Args:
        devices: None of them hides all.
        shared: Whether other trials use a device at the same time, so that it must not take all of
            the memory at once.
    """
    found = {"CUDA_VISIBLE_DEVICES": ",".join(devices) or "-1"}
    if shared:
        found["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return found


class GpuSlots:
    """Hand out devices to trials.

    Args:
        devices: The machine's, each once.
        per_trial: Whole devices, or a fraction of one (``0.5``: two trials a device); above 0.
    """

    def __init__(self, devices: Sequence[str], per_trial: float) -> None:
        if per_trial <= 0 or (per_trial > 1 and per_trial != int(per_trial)):
            raise ValueError(f"{per_trial:g} GPUs a trial, expected a fraction of one or a whole number")
        self._whole = max(1, int(per_trial))
        self._sharers = 1 if per_trial >= 1 else math.floor(1 / per_trial + 1e-9)
        self._users: dict[str, set[int]] = {device: set() for device in devices}

    @property
    def capacity(self) -> int:
        """How many trials may run at a time."""
        return len(self._users) // self._whole * self._sharers

    def assign(self, trial: int) -> Mapping[str, str]:
        """Give a trial its devices, those that fewest others use; return its environment.

        Raises:
            ValueError: All are in use.
        """
        free = [device for device, users in self._users.items() if len(users) < self._sharers]
        if len(free) < self._whole:
            raise ValueError(f"no GPU is free for trial {trial}: more trials run than have room")
        taken = sorted(free, key=lambda device: len(self._users[device]))[: self._whole]
        for device in taken:
            self._users[device].add(trial)
        return environment_of(taken, shared=self._sharers > 1)

    def free(self, trial: int) -> None:
        """Take back what a trial had; allowed for one that has none."""
        for users in self._users.values():
            users.discard(trial)


class NoGpus:
    """Hide every device from trials that ask for none."""

    def assign(self, trial: int) -> Mapping[str, str]:
        del trial
        return environment_of((), shared=False)

    def free(self, trial: int) -> None:
        del trial


def _names(text: str) -> tuple[str, ...]:
    """Return the devices that a variable names, up to the first that is none, each once."""
    found: list[str] = []
    for name in (part.strip() for part in text.split(",")):
        if not name or name.startswith("-"):
            break
        found.append(name)
    return tuple(dict.fromkeys(found))


def _devices() -> tuple[str, ...]:
    if shutil.which(_QUERY[0]):
        try:
            said = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_QUERY_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        if said.returncode == 0:
            return tuple(line.strip() for line in said.stdout.splitlines() if line.strip().isdecimal())
    numbers = (re.fullmatch(r"nvidia(\d+)", file.name) for file in Path("/dev").glob("nvidia*"))
    return tuple(sorted((match[1] for match in numbers if match), key=int))
