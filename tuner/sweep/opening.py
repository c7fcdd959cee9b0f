"""A sweep's folder, made once or found again: the frozen search space, its identity, its facts."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import platform
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem, StoreError
from tuner.near import near
from tuner.paths import SweepDir, write_whole
from tuner.records import SweepOpened
from tuner.showing import hidden
from tuner.spacefile import diff, from_json, to_json
from tuner.spec import SweepSpec
from tuner.study.shared import without_password

PACKAGES = ("tuner", "tensorflow", "tf-keras", "tensorflow-estimator", "optuna", "mlflow", "numpy")


@dataclass(frozen=True)
class Frozen:
    """A sweep as it stands on disk.

    Attributes:
        sweep_id: Unique for ever.
        spec: What it runs now; limits may have been raised since it was made.
        tags: Those given by ``--tag``.
        storage_url: Optuna storage, or empty for the journal.
        backend: Where its trials ran last.
        model_text: Digest of the model's file as its trials had it last; empty where it is no file.
    """

    sweep_id: str
    spec: SweepSpec
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_url: str = ""
    backend: str = "local"
    model_text: str = ""

    def write(self, sweep_dir: SweepDir) -> None:
        """Write the sweep into its folder."""
        write_whole(sweep_dir.space_file, self.spec.source)
        write_whole(sweep_dir.spec_file, self._text())

    def is_written(self, sweep_dir: SweepDir) -> bool:
        """Whether its folder has it as it is."""
        return sweep_dir.spec_file.exists() and sweep_dir.spec_file.read_text(encoding="utf-8") == self._text()

    def _text(self) -> str:
        data = {
            "sweep_id": self.sweep_id,
            "spec": to_json(self.spec),
            "tags": dict(self.tags),
            "storage_url": self.storage_url,
            "backend": self.backend,
            "model_text": self.model_text,
        }
        return json.dumps(data, indent=1)


def read_frozen(sweep_dir: SweepDir) -> Frozen:
    """Read a sweep from its folder.

    Raises:
        InvalidInput: There is no sweep of that name; names those that are there.
        StoreError: The file in it is damaged.
    """
    if not sweep_dir.spec_file.exists():
        there = [other.name for other in sweep_dir.root.sweeps()]
        here = f"sweeps here: {', '.join(there)}" if there else "there are no sweeps here"
        found = f"{near(sweep_dir.name, there)} {here}".strip()
        raise InvalidInput("", [Problem("", f"no sweep {sweep_dir.name!r} under {sweep_dir.root.path}", found)])
    try:
        data = json.loads(sweep_dir.spec_file.read_text(encoding="utf-8"))
        storage_url, backend = data.get("storage_url", ""), data.get("backend", "local")
        spec, tags, text = from_json(data["spec"]), data.get("tags", {}), data.get("model_text", "")
        return Frozen(data["sweep_id"], spec, tags, storage_url, backend, text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{sweep_dir.spec_file} is damaged: {error}") from error


def plan(
    sweep_dir: SweepDir, spec: SweepSpec, tags: Mapping[str, str], storage_url: str = ""
) -> tuple[Frozen, list[str]]:
    """Return the sweep to be run, new or as it is on disk with other limits; writes nothing.

    Call it while holding the sweep's lock, and write what it returns when the model has been found
    good: a mistake must not take a name.

    Returns:
        The sweep, and what changed since it was made, a line each.

    Raises:
        InvalidInput: It was made with another search space; each difference is a line.
    """
    if not sweep_dir.spec_file.exists():
        kept = without_password(storage_url) if storage_url else ""
        return Frozen(uuid.uuid4().hex, spec, dict(tags), kept, model_text=_model_text(spec)), []
    before = read_frozen(sweep_dir)
    harmless, refused = diff(before.spec, spec)
    if refused:
        raise InvalidInput(
            f"sweep {spec.name}",
            [
                *[Problem("", f"was made with another search space: {line}") for line in refused],
                Problem(
                    "",
                    "what was recorded keeps its meaning",
                    f"give this one another name with --name, or remove the other: tuner delete {spec.name}",
                ),
            ],
        )
    text = _model_text(spec)
    if before.model_text and text and text != before.model_text:
        harmless.append(f"{spec.model}: its text; the trials that are there were trained by what it was before")
    return replace(before, spec=spec, tags={**before.tags, **tags}, model_text=text or before.model_text), harmless


def _model_text(spec: SweepSpec) -> str:
    """Return a digest of the model's file; empty where there is none to read."""
    if spec.model is None or not spec.model.file:
        return ""
    try:
        return hashlib.sha256(Path(spec.model.file).read_bytes()).hexdigest()[:16]
    except OSError:
        return ""  # importing it says what is wrong


def same_storage(name: str, had: str, given: str) -> str:
    """Return the storage of a sweep that is there: the one that was given, which may have a password, or its own.

    Raises:
        InvalidInput: The sweep has another one.
    """
    if not given or (had and without_password(given) == had):
        return given or had
    found = had or "a journal in its folder"
    raise InvalidInput(
        "--storage",
        [Problem("", f"the sweep {name!r} keeps its study in {found}", "leave --storage out, or give another --name")],
    )


def opened(frozen: Frozen, settings: Mapping[str, Any], learned: Sequence[str] = ()) -> SweepOpened:
    """Return the record that says a driver began to work on the sweep.

    Args:
        frozen: The sweep.
        settings: Resolved settings worth a line in the description.
        learned: What it learns from other sweeps, a line each.
    """
    spec = frozen.spec
    return SweepOpened(
        sweep_id=frozen.sweep_id,
        name=spec.name,
        time=time.time(),
        objectives={objective.metric: objective.goal.value for objective in spec.objectives},
        space=spec.source,
        settings=settings,
        tags=frozen.tags,
        facts={**facts(_project(spec)), **_source(spec), **({"tuner.from": "\n".join(learned)} if learned else {})},
        description=spec.description,
        options=asdict(spec.record),
    )


def facts(project: Path) -> dict[str, str]:
    """Return what a reader needs to repeat the sweep: command, versions, git commit of the model's project.

    Nothing of the environment is among it.
    """
    program = Path(sys.argv[0]).name
    command = shlex.join(["tuner" if program == "__main__.py" else program, *sys.argv[1:]])
    found = {
        "tuner.command": hidden(command),
        "tuner.python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[f"tuner.version.{package}"] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    commit = _git(project, "rev-parse", "HEAD")
    if commit:
        found["mlflow.source.git.commit"] = commit
        found["tuner.git_dirty"] = str(bool(_git(project, "status", "--porcelain", "--untracked-files=no"))).lower()
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


def changed_limits(spec: SweepSpec, limits: Mapping[str, Any]) -> SweepSpec:
    """Return the sweep with other limits: ``trials``, ``workers``, ``seed``, ``timeout_s``, ``trial_timeout_s``.

    Raises:
        InvalidInput: One is no number, or out of its range.
    """
    given = {key: value for key, value in limits.items() if value is not None}
    problems = [
        Problem(key, f"is {value!r}, expected {what}") for key, value in given.items() if (what := _unfit(key, value))
    ]
    if problems:
        raise InvalidInput("", problems)
    return replace(spec, search=replace(spec.search, **given)) if given else spec


def _unfit(key: str, value: Any) -> str:
    """Return what a limit should be where it is something else, or an empty string."""
    whole = key in ("trials", "workers", "seed")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return "a whole number" if whole else "a number of seconds"
    least = 0 if key == "seed" else 1
    if whole:
        return "" if value >= least else f"at least {least}"
    return "" if value > 0 else "above 0"
