"""Where a sweep's trials run: the backend, how many at a time, and what each gets of the machine."""

from __future__ import annotations

import importlib.util

from tuner.backends import BACKENDS, DEFAULT, Placement, backend_class
from tuner.config.manifest import read_manifest
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import SIMULATED
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import SweepDir


def check_backend(spec: SweepSpec, name: str) -> None:
    """Look whether there is a backend ``name`` that can run the trials of a sweep, before anything is started.

    Raises:
        InvalidInput: There is none, it does not run such trials, or a package that it needs is not installed.
    """
    kind = backend_class(name, spec.import_paths)
    if missing := [package for package in kind.packages if importlib.util.find_spec(package) is None]:
        hint = f"pip install 'estimator-tuner[{name}]'" if name in BACKENDS else f"pip install {' '.join(missing)}"
        message = f"{name} needs {' and '.join(missing)}, which is not installed"
        raise InvalidInput("backend", [Problem("", message, hint)])
    if spec.command and not kind.runs_scripts:
        raise InvalidInput("backend", f"{name} runs models, and there is a command; use {_those_with('runs_scripts')}")
    if spec.cluster is not None and not kind.runs_clusters:
        message = f"each trial is a cluster of processes, which backend {name} does not run"
        raise InvalidInput("", [Problem("cluster", message, f"use --backend {_those_with('runs_clusters')}")])
    if spec.resources.custom and not kind.has_custom_resources:
        names = ", ".join(spec.resources.custom)
        raise InvalidInput("resources.custom", f"{names}: custom resources are Ray's, and the backend is {name}")


def make_placement(spec: SweepSpec, sweep_dir: SweepDir, name: str) -> Placement:
    """Return the backend ``name`` for a sweep.

    Raises:
        InvalidInput: The place lacks what a trial asks for, or there is no model to train.
    """
    check_backend(spec, name)
    kind = backend_class(name, spec.import_paths)
    if spec.model is None and not spec.command and name in BACKENDS and not kind.is_simulated:
        message = f"is missing, expected a module or a .py file: backend {name} trains models"
        raise InvalidInput("", [Problem("model", message, "or simulate: --backend simulated")])
    return kind.place(spec, sweep_dir)


def backend_of(sweep_dir: SweepDir, asked: str) -> str:
    """Return the backend that goes on with a sweep: simulated trials stay so, real ones too.

    Raises:
        InvalidInput: The sweep is there, and the other kind.
    """
    if not sweep_dir.spec_file.exists():
        return asked
    manifest = read_manifest(sweep_dir)
    paths = manifest.spec.import_paths
    was_simulated = SIMULATED in manifest.tags
    if backend_class(asked, paths).is_simulated == was_simulated:
        return asked
    if asked == DEFAULT:  # nobody asked for it
        return next(name for name in (manifest.backend, *BACKENDS) if backend_class(name, paths).is_simulated)
    kind, other = ("simulated", "real") if was_simulated else ("real", "simulated")
    raise InvalidInput(
        "backend",
        f"the sweep {sweep_dir.name!r} has {kind} trials, and {other} ones beside them would mislead; "
        "give this one another name with --name",
    )


def tags_of(spec: SweepSpec, backend: str) -> dict[str, str]:
    """Return the tags of a sweep that its backend adds."""
    return {SIMULATED: "true"} if backend_class(backend, spec.import_paths).is_simulated else {}


def _those_with(fact: str) -> str:
    """Return the names of the backends of which a fact is true, for a hint."""
    return " or ".join(name for name in BACKENDS if getattr(backend_class(name), fact))
