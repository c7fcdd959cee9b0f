"""Where a sweep comes from: its source, versions and machine, as recorded once at its beginning."""

from __future__ import annotations

import contextlib
import getpass
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from tuner.config.manifest import PACKAGES, SweepManifest
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import COMMAND, GIT_DIRTY, LEARNED_FROM, PYTHON, VERSION
from tuner.hiding import hidden_words
from tuner.records.record import SweepOpened


def opening_record(manifest: SweepManifest, workers: int, learned: Sequence[str] = ()) -> SweepOpened:
    """Return the record that says a driver began to work on the sweep.

    Args:
        manifest: The sweep.
        workers: Trials at a time.
        learned: What it learns from other sweeps, a line each.
    """
    spec, search, train = manifest.spec, manifest.spec.search, manifest.spec.train
    return SweepOpened(
        sweep_id=manifest.sweep_id,
        name=spec.name,
        time=time.time(),
        objectives={objective.metric: objective.goal.value for objective in spec.objectives},
        space=spec.source,
        settings={
            "trials": search.trials,
            "workers": workers,
            "sampler": search.sampler.name,
            "scheduler": search.scheduler.name,
            "seed": search.seed,
            "max_steps": train.max_steps,
            "evaluate_every": train.evaluate_every,
            **({"repeats": search.repeats} if search.repeats > 1 else {}),
        },
        tags=manifest.tags,
        facts={
            **provenance(_project(spec)),
            **_source(spec),
            **({LEARNED_FROM: "\n".join(learned)} if learned else {}),
        },
        description=spec.description,
        options=asdict(spec.record) | {"of": {objective.metric: objective.of.rule for objective in spec.objectives}},
        parameters=spec.space.names,
    )


def provenance(project: Path) -> dict[str, str]:
    """Return what a reader needs to repeat the sweep: command, versions, git commit of the model's project.

    Nothing of the environment is among it.
    """
    program = Path(sys.argv[0]).name
    found = {
        COMMAND: shlex.join(["tuner" if program == "__main__.py" else program, *hidden_words(sys.argv[1:])]),
        PYTHON: platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[VERSION + package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    commit = _git(project, "rev-parse", "HEAD")
    if commit:
        found["mlflow.source.git.commit"] = commit
        found[GIT_DIRTY] = str(bool(_git(project, "status", "--porcelain", "--untracked-files=no"))).lower()
    return found


def _source(spec: SweepSpec) -> dict[str, str]:
    """Return what MLflow's columns User and Source show."""
    name = str(spec.model) if spec.model else shlex.join(spec.command)
    found = {"mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
    with contextlib.suppress(KeyError, OSError, ImportError):  # a user id without a name
        found["mlflow.user"] = getpass.getuser()
    return found


def _project(spec: SweepSpec) -> Path:
    """Return the folder of the user's model, or the current one."""
    return Path(spec.model.file).parent if spec.model and spec.model.file else Path.cwd()


def _git(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
