"""A sweep's folder, made once or found again: the frozen search space, its identity, its facts."""

from __future__ import annotations

import json
import os
import shlex
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tuner.config.model_text import Texts, digest, with_text
from tuner.config.spec_json import diff, from_json, hidden_spec, hides, private_part, secrets_of, to_json, with_private
from tuner.config.unknown_sweep import unknown_sweep
from tuner.domain.spec import SweepSpec
from tuner.errors import InvalidInput, Problem, StoreError, TunerError
from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir
from tuner.hiding import Hiding, secrets_of_url
from tuner.records.log import read_records
from tuner.records.record import SweepOpened
from tuner.text import without_password

PACKAGES = ("estimator-tuner", "tensorflow", "tf-keras", "tensorflow-estimator", "optuna", "mlflow", "numpy")

Untried = Callable[[SweepSpec], bool]


@dataclass(frozen=True)
class SweepManifest:
    """A sweep as it stands on disk.

    Attributes:
        sweep_id: Unique for ever.
        spec: What it runs now, secrets hidden; limits may have been raised since it was made.
        tags: Those given by ``--tag``.
        storage_url: Optuna storage, or empty for the journal.
        backend: Where its trials ran last.
        model_texts: Those that the model has had, see ``tuner.config.model_text``.
        corrected: Whether its search space is another one than that of its study, in which no trial was begun.
    """

    sweep_id: str
    spec: SweepSpec
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_url: str = ""
    backend: str = "local"
    model_texts: Texts = ()
    corrected: bool = False

    def write(self, sweep_dir: SweepDir) -> None:
        """Write the sweep into its folder."""
        write_whole(sweep_dir.space_file, self.spec.source)
        write_whole(sweep_dir.spec_file, self._text(sweep_dir))

    def is_written(self, sweep_dir: SweepDir) -> bool:
        """Whether its folder has it as it is, but perhaps with other limits."""
        if not sweep_dir.spec_file.exists():
            return False
        held = json.loads(sweep_dir.spec_file.read_text(encoding="utf-8"))
        return bool({**held, "spec": None} == {**json.loads(self._text(sweep_dir)), "spec": None})

    def _text(self, sweep_dir: SweepDir) -> str:
        data = {
            "sweep_id": self.sweep_id,
            "spec": to_json(self.spec),
            "tags": dict(self.tags),
            "storage_url": self.storage_url,
            "backend": self.backend,
            "model_texts": self.model_texts,
            "root": str(sweep_dir.root.path),
        }
        return json.dumps(data, indent=1)


def read_manifest(sweep_dir: SweepDir) -> SweepManifest:
    """Read a sweep from its folder.

    What it names under the root at which it was last worked on is found under the present one, when the root was moved.

    Raises:
        InvalidInput: There is no sweep of that name, and those that are there are named; or the folder is
            a copy of another one, or was renamed.
        StoreError: The file in it is damaged.
    """
    if not sweep_dir.spec_file.exists():
        raise unknown_sweep(sweep_dir)
    manifest = _parsed(sweep_dir)
    if manifest.spec.name != sweep_dir.name:
        raise InvalidInput("", [_other_name(sweep_dir, manifest)])
    return manifest


def _parsed(sweep_dir: SweepDir) -> SweepManifest:
    """Return what the folder's file says, whatever the folder is called."""
    file = sweep_dir.spec_file
    try:
        data = json.loads(file.read_bytes())
        spec = relocated(from_json(data["spec"]), data.get("root", ""), sweep_dir.root.path)
        # Of a version that kept the last text alone, which had its trials since it was made.
        before = [(data["model_text"], 0.0)] if data.get("model_text") else []
        model_texts = tuple((text, float(since)) for text, since in data.get("model_texts", before))
        texts = [data["sweep_id"], spec.name, data.get("storage_url", ""), data.get("backend", "")]
        texts += [text for text, _ in model_texts]
        tags = data.get("tags", {})
        if not all(isinstance(text, str) for text in [*texts, spec.source, *tags.values()]):
            raise TypeError("expected text in it")
        return SweepManifest(
            data["sweep_id"],
            spec,
            tags,
            data.get("storage_url", ""),
            data.get("backend", "local"),
            model_texts,
        )
    except PermissionError:
        raise  # that somebody else's is not to be read says nothing of what is in it
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TunerError) as error:
        place = f", line {error.lineno}, byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise StoreError(
            f"{file}{place} is damaged: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            "put it back from a copy, or take it away and go on with the search space file that the sweep was made "
            f"from: tuner run SPACE.yaml --name {sweep_dir.name}",
        ) from error


def _other_name(sweep_dir: SweepDir, manifest: SweepManifest) -> Problem:
    """Say that a folder is not called as its sweep: study and MLflow know that by its name alone."""
    name, original = manifest.spec.name, SweepDir(sweep_dir.path.with_name(manifest.spec.name))
    if copies_of(sweep_dir):
        return Problem(
            "",
            f"{sweep_dir.path} is a copy of the sweep {name!r}, with which it shares its MLflow runs",
            f"type {name} for the sweep; tuner delete {sweep_dir.name} deletes the copy alone",
        )
    return Problem(
        "",
        f"{sweep_dir.path} holds the sweep {name!r}: a sweep keeps the name with which it was made",
        f"rename its folder back: mv {shlex.quote(str(sweep_dir.path))} {shlex.quote(str(original.path))}",
    )


def copies_of(sweep_dir: SweepDir) -> list[SweepDir]:
    """Return the other folders under the root that hold the same sweep."""
    mine = identity_of(sweep_dir)
    others = (other for other in sweep_dir.root.sweeps() if other.name != sweep_dir.name)
    return [other for other in others if mine and identity_of(other) == mine]


def identity_of(sweep_dir: SweepDir) -> str:
    """Return a sweep's identity; empty if its file is gone or damaged."""
    try:
        return str(json.loads(sweep_dir.spec_file.read_bytes())["sweep_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def relocated(spec: SweepSpec, before: str, now: Path) -> SweepSpec:
    """Return a sweep with what was under another root, and is gone from there, if it is under this one.

    Args:
        spec: The sweep.
        before: Its root when it was written; empty if that is not known.
        now: Its root.
    """

    def moved(path: str) -> str:
        if not path or not before or before == str(now) or Path(path).exists():
            return path
        # A project has its root within it, or beside: what both paths begin with has moved.
        old, place = Path(before), now
        while True:
            if Path(path).is_relative_to(old) and (place / Path(path).relative_to(old)).exists():
                return str(place / Path(path).relative_to(old))
            if old.name != place.name or old.parent == old:
                return path
            old, place = old.parent, place.parent

    model = spec.model
    if model is not None:
        model = replace(model, file=moved(model.file), import_paths=tuple(map(moved, model.import_paths)))
    paths = tuple(map(moved, spec.import_paths))
    return replace(spec, model=model, command_dir=moved(spec.command_dir), import_paths=paths)


def write_private(sweep_dir: SweepDir, spec: SweepSpec) -> None:
    """Keep what of a sweep is secret, for those who resume it, in a file that its owner alone can read."""
    private = private_part(spec)
    if private:
        write_whole(sweep_dir.private_file, json.dumps(private, indent=1), mode=0o600)
    else:
        sweep_dir.private_file.unlink(missing_ok=True)


def whole_spec(sweep_dir: SweepDir, spec: SweepSpec) -> SweepSpec:
    """Return a sweep with its secrets, as far as they can be read; see ``refuse_hidden``."""
    try:
        private = json.loads(sweep_dir.private_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return spec
    return with_private(spec, private) if isinstance(private, dict) else spec


def refuse_hidden(sweep_dir: SweepDir, spec: SweepSpec) -> None:
    """Raise InvalidInput if trials would be given ``***`` in place of a secret."""
    if found := hides(spec):
        raise InvalidInput(
            f"sweep {spec.name}",
            [
                Problem(
                    "",
                    f"{', '.join(found)}: the secret is not in {sweep_dir.private_file}, which its owner can read",
                    "give it again, with `tuner run` and the file or command that the sweep was made with",
                )
            ],
        )


def hiding_of(spec: SweepSpec, *urls: str) -> Hiding:
    """Return what hides the secrets of a sweep wherever they stand.

    Args:
        spec: With its secrets.
        urls: Of its storage and the like.
    """
    of_mlflow = {os.environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("PASSWORD", "TOKEN")}
    urls = (*urls, os.environ.get("MLFLOW_TRACKING_URI", ""))
    return Hiding({*secrets_of(spec), *of_mlflow, *(secret for url in urls for secret in secrets_of_url(url))})


def resolve_manifest(
    sweep_dir: SweepDir,
    spec: SweepSpec,
    tags: Mapping[str, str],
    storage_url: str = "",
    untried: Untried = lambda _: False,
) -> tuple[SweepManifest, list[str]]:
    """Return the sweep to be run, new or as it is on disk with other limits; writes nothing.

    Call it while holding the sweep's lock, and write what it returns when the model has been found
    good: a mistake must not take a name.

    Args:
        sweep_dir: The sweep's folder.
        spec: What is asked for now.
        tags: Those given by ``--tag``.
        storage_url: Optuna storage, or empty for the journal.
        untried: Whether no trial of a sweep was begun, and no other driver is at work on it: then it takes any other.

    Returns:
        The sweep, and what changed since it was made, a line each.

    Raises:
        InvalidInput: Trials were begun with another search space; each difference is a line.
    """
    hiding, shown = hiding_of(spec, storage_url), hidden_spec(spec)
    if not sweep_dir.spec_file.exists():
        kept = without_password(storage_url) if storage_url else ""
        sweep_id = _recorded_id(sweep_dir, shown) or uuid.uuid4().hex
        texts = with_text((), digest(spec.model), time.time())
        return SweepManifest(sweep_id, shown, hiding.values(tags), kept, model_texts=texts), []
    before = read_manifest(sweep_dir)
    harmless, refused = diff(hidden_spec(before.spec), shown)
    corrected = bool(refused) and untried(before.spec)
    if corrected:
        harmless, refused = [*refused, *harmless], []
    if refused:
        raise InvalidInput(
            f"sweep {spec.name}",
            [
                *[Problem("", f"its trials were run with another search space; changed: {line}") for line in refused],
                Problem(
                    "",
                    "trials with different ones cannot be compared, so this sweep goes on only as it was",
                    f"run the changed one as another sweep with --name, or delete this one: tuner delete {spec.name}",
                ),
            ],
        )
    texts = with_text(before.model_texts, digest(spec.model), time.time())
    if before.model_texts and texts != before.model_texts and not corrected:
        harmless.append(f"{spec.model}: its text; the trials that are there were trained by what it was before")
    found = replace(before, spec=shown, tags=hiding.values({**before.tags, **tags}), model_texts=texts)
    return replace(found, corrected=corrected), harmless


def _recorded_id(sweep_dir: SweepDir, spec: SweepSpec) -> str:
    """Return the identity of a sweep whose file is gone and whose records are there; empty if there are none.

    Raises:
        InvalidInput: It was recorded with another search space.
    """
    records = (record for record, _ in read_records(sweep_dir.records_file))
    opened = next((record for record in records if isinstance(record, SweepOpened)), None)
    if opened is None:
        return ""
    if opened.space != spec.source:
        found = f"{sweep_dir.records_file} has the records of another search space of that name"
        raise InvalidInput("", [Problem("", found, "give this one another name with --name")])
    return opened.sweep_id


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
    """Return what a limit should be if it is something else, or an empty string."""
    whole = key in ("trials", "workers", "seed")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return "a whole number" if whole else "a number of seconds"
    least = 0 if key == "seed" else 1
    if whole:
        return "" if value >= least else f"at least {least}"
    return "" if value > 0 else "above 0"
