"""What a machine has for trials: cores, threads of a trial, GPUs."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from tuner.backends.gpus import GpuSlots, NoGpus, visible_gpus
from tuner.domain.spec import SweepSpec
from tuner.errors import InvalidInput, Problem


def cores(cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return how many cores this process may use: of a container, as many as its limit comes to.

    Args:
        cgroups: Where the kernel shows control groups (version 2).
        own: Where it says of which one this process is.
    """
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
    limits = [_quota(folder / "cpu.max") for folder in _groups(cgroups, own)]
    return max(1, min([there, *(math.ceil(limit) for limit in limits if limit is not None)]))


def _groups(cgroups: Path, own: Path) -> list[Path]:
    """Return the folders of the control groups that hold this process, the innermost first."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    paths = [line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")]
    return [cgroups / part for path in paths for part in (Path(path), *Path(path).parents)]


def _quota(file: Path) -> float | None:
    """Return how many cores' time a group may take, or None if that is not limited or not known."""
    try:
        quota, period = file.read_text(encoding="utf-8").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


@dataclass(frozen=True)
class Size:
    """How many processes each trial is, and how many of them train and are given GPUs."""

    processes: int = 1
    training: int = 1
    with_gpus: int = 1

    @property
    def reason(self) -> str:
        """What to add to how much a trial asks for, if it is several processes."""
        return f" ({self.processes} tasks of its cluster)" if self.processes > 1 else ""


def processes_per_trial(spec: SweepSpec) -> Size:
    """Return how many processes each trial is."""
    if spec.cluster is None:
        return Size()
    training, ps = 1 + spec.cluster.workers, spec.cluster.ps
    return Size(spec.cluster.tasks, training, spec.cluster.tasks - ps)


def gpu_slots(per_trial: float | None, workers: int | None, size: Size = Size()) -> GpuSlots | None:
    """Return the slots on this machine's GPUs, or None if trials get none.

    Args:
        per_trial: Devices or a fraction of one for each process; None gives each trial one if there are any,
            and a share of one if more are to run than there are devices.
        workers: Trials at a time that the user asked for, or None.
        size: How many processes each trial is.

    Raises:
        InvalidInput: There are not as many devices.
    """
    if per_trial == 0:
        return None
    devices = visible_gpus()
    if per_trial is None:
        if not devices:
            return None
        per_trial = 1 / math.ceil(max(1, workers or 1) * size.with_gpus / len(devices))
    slots = GpuSlots(devices, per_trial)
    if slots.capacity < size.with_gpus:
        there = f"{len(devices)} ({', '.join(devices)})" if devices else "none"
        hint = "leave resources.gpus out for a machine without; TUNER_GPUS names devices that nvidia-smi does not show"
        what = f"each trial asks for {per_trial * size.with_gpus:g} GPUs"
        several = f" ({size.with_gpus} tasks of its cluster)" if size.with_gpus > 1 else ""
        message = f"{what}{several}, this machine has {there}"
        raise InvalidInput("resources.gpus", [Problem("", message, hint)])
    return slots


WORKERS = 2
"""Trials at a time, if nobody says how many."""


@dataclass(frozen=True)
class Share:
    """What of this machine a sweep's trials get.

    Attributes:
        workers: Trials at a time.
        threads: Threads of each session.
        devices: Hands out GPUs; None leaves trials the environment of this process.
    """

    workers: int
    threads: int
    devices: GpuSlots | NoGpus | None


def share_of_machine(spec: SweepSpec) -> Share:
    """Return what of this machine a sweep's trials get.

    Raises:
        InvalidInput: It has not what each trial asks for.
    """
    asked, here, size = spec.resources, cores(), processes_per_trial(spec)
    if asked.cpus is not None and asked.cpus * size.processes > here:
        what = f"each trial asks for {asked.cpus * size.processes:g} cores"
        raise InvalidInput("resources.cpus", f"{what}{size.reason}, this machine has {here}")
    room = here if asked.cpus is None else int(here / asked.cpus / size.processes + 1e-9)
    slots = gpu_slots(asked.gpus, spec.search.workers, size)
    if slots is not None:
        room = min(room, slots.capacity // size.with_gpus)
    workers = max(1, min(spec.search.workers or (room if slots else WORKERS), room))
    threads = max(1, here // (workers * size.training) if asked.cpus is None else int(asked.cpus))
    return Share(workers, threads, NoGpus() if asked.gpus == 0 else slots)
