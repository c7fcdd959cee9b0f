"""What a model says of the data that it reads: ``dataset(params)``, an optional function beside the others.

It returns one of:

- the path of a file or folder, or a list of paths;
- a mapping with ``source`` (paths as above, or a URI), and optionally ``name``, ``digest``, ``context``
  (``training`` if it is left out), ``schema`` (column to type: ``float``, ``double``, ``long``, ``string``);
  whatever else it holds becomes the profile (rows, splits);
- a list of such mappings, for instance one for training and one for evaluation.

The digest of local files is of their content; above ``WHOLE_BYTES`` in all, of their names, sizes, beginnings and
ends. What comes out is kept as JSON in the trial's folder, where the recorder finds it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput
from tuner.files.atomic import write_whole
from tuner.files.paths import TrialDir
from tuner.model.user_model import UserModel
from tuner.space.parameters import Params

WHOLE_BYTES = 1 << 28
_ENDS = 1 << 16
_KNOWN = ("source", "name", "digest", "context", "schema")


def write_dataset(model: UserModel, params: Params, trial_dir: TrialDir) -> None:
    """Write what the model says of its data into the trial's folder, if it says something.

    Raises:
        InvalidInput: It returned something else than it may.
    """
    if model.function("dataset") is not None and not trial_dir.dataset_file.exists():
        write_whole(trial_dir.dataset_file, json.dumps(describe(model, params), indent=1))


def describe(model: UserModel, params: Params) -> list[dict[str, Any]]:
    """Return each data set of a trial: name, digest, source and its type, context, schema, profile."""
    said = model.call("dataset", params)
    try:
        several = isinstance(said, Sequence) and said and all(isinstance(entry, Mapping) for entry in said)
        return [_described(entry) for entry in (said if several else [said])]
    except (TypeError, ValueError, AttributeError, OSError) as error:
        raise InvalidInput(
            f"model {model.ref}",
            f"dataset() returned what cannot be described: {error}; expected a path, a list of paths, or a mapping "
            "with a source",
        ) from error


def _described(said: Any) -> dict[str, Any]:
    given = dict(said) if isinstance(said, Mapping) else {"source": said}
    if "source" not in given:
        raise ValueError(f"it has no source, only {', '.join(map(str, given)) or 'nothing'}")
    source = given["source"]
    remote = isinstance(source, str) and "://" in source
    paths = [] if remote else _paths(source)
    profile = {key: value for key, value in given.items() if key not in _KNOWN}
    digest, kind = given.get("digest"), "as given"
    if digest is None:
        digest, kind = (hashlib.sha256(source.encode()).hexdigest(), "its URI") if remote else _digest(paths)
    found = {
        "name": str(given.get("name") or _name(source, paths)),
        "digest": str(digest)[:16] if given.get("digest") is None else str(digest),
        "source_type": source.split("://")[0] if remote else "local",
        "source": {"uri": source if remote else [str(path) for path in paths][:20]},
        "context": str(given.get("context", "training")),
        "schema": _schema(given.get("schema")),
        "profile": {**profile, "digest of": kind},
    }
    json.dumps(found)  # refused here rather than where it is written
    return found


def _schema(columns: Any) -> Any:
    """Return columns and their types as MLflow shows them."""
    if columns is None:
        return None
    return {"mlflow_colspec": [{"name": str(n), "type": str(kind), "required": True} for n, kind in columns.items()]}


def _paths(source: Any) -> list[Path]:
    entries = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    paths = [Path(entry).absolute() for entry in entries]
    missing = [str(path) for path in paths if not path.exists()]
    if missing or not paths:
        raise ValueError(f"no such file {missing[0]!r}" if missing else "the source is empty")
    return paths


def _name(source: Any, paths: Sequence[Path]) -> str:
    if not paths:
        return str(source).rstrip("/").rpartition("/")[2] or str(source)
    first = paths[0] if len(paths) == 1 else paths[0].parent
    return first.name.split(".")[0] or first.name


def _digest(paths: Sequence[Path]) -> tuple[str, str]:
    """Return a digest of files and folders, and what it is of."""
    files = [(name, file) for path in paths for name, file in _files(path)]
    whole = sum(file.stat().st_size for _, file in files) <= WHOLE_BYTES
    digest = hashlib.sha256()
    for name, file in files:
        size = file.stat().st_size
        digest.update(f"{name}\0{size}\0".encode())
        with file.open("rb") as stream:
            if whole or size <= 2 * _ENDS:
                while block := stream.read(1 << 20):
                    digest.update(block)
            else:
                digest.update(stream.read(_ENDS))
                stream.seek(-_ENDS, os.SEEK_END)
                digest.update(stream.read(_ENDS))
    return digest.hexdigest(), "content" if whole else "names, sizes, beginnings and ends"


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield str(file.relative_to(path)), file
    else:
        yield path.name, path
