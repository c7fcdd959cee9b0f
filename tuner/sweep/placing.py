"""Where a sweep's trials run: the backend, how many at a time, and what each gets of the machine."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backends import Backend
from tuner.backends.cluster import ClusterBackend, Loopback, TaskDevices
from tuner.backends.gpus import GpuSlots, NoGpus, visible_gpus
from tuner.errors import InvalidInput, Problem
from tuner.paths import SweepDir
from tuner.spec import ModelRef, Resources, SweepSpec
from tuner.sweep.simulating import make_backend
from tuner.tasks import names_of

BACKENDS = ("local", "inline", "ray", "simulated")
CLUSTERED = ("local", "ray")
"""Backends that run trials that are clusters."""

_WORKERS = 2  # where nobody says how many


@dataclass(frozen=True)
class Placed:
    """A backend that is not open yet.

    Attributes:
        workers: Trials at a time.
        threads: Threads of each session.
        notes: For the user, a line each.
    """

    backend: Backend
    workers: int
    threads: int
    notes: tuple[str, ...] = ()


def check_backend(name: str) -> None:
    """Make sure that there is a backend ``name``.

    Raises:
        InvalidInput: There is none.
    """
    if name not in BACKENDS:
        raise InvalidInput("backend", f"unknown backend {name!r}; expected one of {', '.join(BACKENDS)}")


def place(spec: SweepSpec, sweep_dir: SweepDir, name: str) -> Placed:
    """Return the backend ``name`` for a sweep.

    Raises:
        InvalidInput: It has not what each trial asks for.
    """
    if spec.cluster is not None and name not in CLUSTERED:
        problem = Problem("cluster", f"each trial is a cluster of processes, which backend {name} does not run")
        raise InvalidInput("", [replace(problem, hint=f"use --backend {' or '.join(CLUSTERED)}")])
    if name == "simulated":
        return Placed(make_backend(spec, sweep_dir), spec.search.workers or _WORKERS, 1)
    if name == "ray":
        if spec.model is None:
            raise InvalidInput("backend", "ray runs models, and there is a command; use local")
        return _on_ray(spec, spec.model, sweep_dir)
    _no_custom(spec.resources, name)
    if name == "inline" and spec.model is not None:
        from tuner.backends.inline import InlineBackend

        return Placed(InlineBackend(spec.model), 1, cores())
    return _on_this_machine(spec, sweep_dir)


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
    """Return how many cores' time a group may take, or None where that is not limited or not known."""
    try:
        quota, period = file.read_text(encoding="utf-8").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _on_this_machine(spec: SweepSpec, sweep_dir: SweepDir) -> Placed:
    from tuner.backends.local import LocalBackend

    asked, here, size = spec.resources, cores(), size_of(spec)
    if asked.cpus is not None and asked.cpus * size.processes > here:
        what = f"each trial asks for {asked.cpus * size.processes:g} cores"
        raise InvalidInput("resources.cpus", f"{what}{size.reason}, this machine has {here}")
    room = here if asked.cpus is None else int(here / asked.cpus / size.processes + 1e-9)
    slots = gpu_slots(asked.gpus, spec.search.workers, size)
    if slots is not None:
        room = min(room, slots.capacity // size.with_gpus)
    workers = max(1, min(spec.search.workers or (room if slots else _WORKERS), room))
    threads = max(1, here // (workers * size.training) if asked.cpus is None else int(asked.cpus))
    devices = NoGpus() if asked.gpus == 0 else slots
    log_file = sweep_dir.driver_log_file
    if spec.cluster is None:
        return Placed(LocalBackend(spec.model, log_file, spec.command, spec.command_dir, devices), workers, threads)
    shared = TaskDevices(devices, names_of(spec.cluster)) if devices else None
    backend = ClusterBackend(LocalBackend(spec.model, log_file, devices=shared), spec.cluster, Loopback())
    return Placed(backend, workers, threads)


@dataclass(frozen=True)
class Size:
    """How many processes each trial is, and how many of them train and are given GPUs."""

    processes: int = 1
    training: int = 1
    with_gpus: int = 1

    @property
    def reason(self) -> str:
        """What to add to how much a trial asks for, where it is several processes."""
        return f" ({self.processes} tasks of its cluster)" if self.processes > 1 else ""


def size_of(spec: SweepSpec) -> Size:
    """Return how many processes each trial is."""
    if spec.cluster is None:
        return Size()
    training, ps = 1 + spec.cluster.workers, spec.cluster.ps
    return Size(spec.cluster.tasks, training, spec.cluster.tasks - ps)


def gpu_slots(per_trial: float | None, workers: int | None, size: Size = Size()) -> GpuSlots | None:
    """Return the slots on this machine's GPUs, or None where trials get none.

    Args:
        per_trial: Devices or a fraction of one for each process; None gives each trial one where there are any,
            and a share of one where more are to run than there are devices.
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


def _on_ray(spec: SweepSpec, model: ModelRef, sweep_dir: SweepDir) -> Placed:
    from tuner.backends.ray import Nodes, RayBackend, Request, connect

    asked, size = spec.resources, size_of(spec)
    if spec.cluster is not None and spec.ray.storage:
        message = f"is {spec.ray.storage}, and the tasks of a cluster share their trial's folder while they run"
        hint = "leave it out, and give a --root that all nodes see under one path"
        raise InvalidInput("", [Problem("ray.storage", message, hint)])
    request = Request(asked.cpus or 1.0, asked.gpus or 0.0, asked.custom)
    cluster = connect(spec.ray, cores())
    try:
        room = cluster.room(request, size.processes)
        workers = min(spec.search.workers or _WORKERS, room)
        processes = workers * size.processes
        backend = RayBackend(cluster, model, spec.objectives[0], request, processes, spec.ray, sweep_dir)
    except BaseException:
        cluster.close()
        raise
    notes: tuple[str, ...] = ()
    if spec.search.workers is None and room > workers:
        notes = (f"ray: the cluster has room for {room} trials at a time; --workers is {workers}",)
    threads = max(1, int(request.cpus))
    if spec.cluster is None:
        return Placed(backend, workers, threads, notes)
    return Placed(ClusterBackend(backend, spec.cluster, Nodes(cluster.ray, backend)), workers, threads, notes)


def _no_custom(asked: Resources, name: str) -> None:
    if asked.custom:
        names = ", ".join(asked.custom)
        raise InvalidInput("resources.custom", f"{names}: custom resources are Ray's, and the backend is {name}")
