"""Where trials' files travel between machines that share no folder: any place that fsspec can write to.

A trial's folder goes in and comes out on another machine. What counts as there is named by a manifest
that is written last: a machine that dies while it sends leaves the former manifest, and so a whole
folder. A manifest names the attempt that wrote it; an earlier attempt, on a machine that was taken for dead,
cannot replace it.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.errors import BackendError, InvalidInput, Problem, StoreError
from tuner.files import checkpoints
from tuner.files.paths import inside, relative_name

OWN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*-[0-9a-f]{12}")
"""What a sweep's own folder in a storage is called: the sweep's name, and what makes it nobody else's."""

_PAUSES_S = (1.0, 4.0)  # between tries to send
_MANIFEST = "manifest.json"
_ATTEMPT = "life"  # in a manifest: the word of the first version
_STATE = "checkpoint"  # TensorFlow's state file: always names a checkpoint that the manifest has
_OURS = (_STATE, "trial.lock", "away.txt", "job.json", "private.json")  # each machine has its own
_UNFINISHED = ("temp", "_temp", ".tempstate")

logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """A later attempt of the trial has written to the mailbox."""


def persevering(send: Callable[[], None], what: str) -> None:
    """Send, several times if a storage fails.

    Args:
        send: Does it; may be called again.
        what: Whose files they are, for the log.

    Raises:
        Exception: The last try failed, or the first if a later attempt was there.
    """
    for pause_s in _PAUSES_S:
        try:
            return send()
        except Overtaken:
            raise
        except Exception as error:  # each file system has errors of its own
            logger.warning("The files of %s cannot be sent, next try in %g s: %s", what, pause_s, error)
            time.sleep(pause_s)
    return send()


@dataclass(frozen=True)
class Manifest:
    """What a mailbox holds of a trial.

    Attributes:
        attempt: Of the trial when it was written.
        newest: Global step of the checkpoint to go on from, or None.
        files: Path within the folder to size in bytes and time of change in nanoseconds.
    """

    attempt: int = 0
    newest: int | None = None
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class FileTransfer:
    """Send trials' folders and fetch them.

    Args:
        url: A folder: a path, or ``PROTOCOL://...`` of a file system that fsspec knows.
        secret: Of the sweep: a manifest that it has not signed is not believed; empty for one that an older version
            of tuner began, whose manifests are not signed.

    Raises:
        InvalidInput: fsspec, or what it needs for this protocol, is not installed.
    """

    def __init__(self, url: str, secret: str = "") -> None:
        try:
            from fsspec.core import url_to_fs
            from fsspec.implementations.local import LocalFileSystem
        except ImportError as error:
            problem = Problem("", "needs fsspec, which is not installed", "pip install 'estimator-tuner[ray]'")
            raise InvalidInput("ray.storage", [problem]) from error
        try:
            self._fs, path = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidInput("ray.storage", f"{url} cannot be used: {error}") from error
        self.url = url
        self.secret = secret
        self._path = path.rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)

    def write_probe(self, token: str) -> None:
        """Leave a word for other machines to find.

        Raises:
            InvalidInput: The storage cannot be written to.
        """
        try:
            self._put_text(f"{self._path}/probe-{token}", token)
        except Exception as error:  # each file system has errors of its own
            raise InvalidInput("ray.storage", f"cannot write to {self.url}: {error}") from error

    def reads_probe(self, token: str) -> bool:
        """Whether the word that another machine left is there."""
        return self._get_text(f"{self._path}/probe-{token}") == token

    def manifest(self, trial: str) -> Manifest | None:
        """Return what is there of a trial, or None.

        Raises:
            StoreError: It names files outside the trial's folder, or was written by somebody else.
        """
        text = self._get_text(f"{self._path}/{relative_name(trial)}/{_MANIFEST}")
        if text is None:
            return None
        data = json.loads(text)
        signature = data.pop("signature", "")
        if self.secret and not hmac.compare_digest(str(signature), self._signature(trial, data)):
            raise StoreError(
                f"the manifest of trial {trial} in {self.url} was not written by this sweep",
                "see who can write there; without that manifest the trial goes on from what is in its own folder",
            )
        files = {relative_name(name): (size, changed) for name, (size, changed) in data["files"].items()}
        return Manifest(data[_ATTEMPT], data["newest"], files)

    def send(self, trial: str, folder: Path, attempt: int, before: Manifest | None) -> Manifest:
        """Make the mailbox hold what the folder of a trial holds; send only what changed.

        The trial may run meanwhile.

        Args:
            trial: Name of the trial in the mailbox.
            folder: The trial's.
            attempt: Of the trial.
            before: What the mailbox holds.

        Raises:
            Overtaken: A later attempt has written there.
        """
        there = self.manifest(trial)
        if there is not None and there.attempt > attempt:
            raise Overtaken(f"attempt {there.attempt} of the trial runs elsewhere")
        held = dict(before.files) if before else {}
        newest = checkpoints.newest_step(folder)
        files = _files(folder)
        for name, seen in list(files.items()):
            if held.get(name) == seen:
                continue
            try:
                self._put(folder / name, f"{self._path}/{trial}/{name}")
            except FileNotFoundError:  # thinned since we looked
                if name.startswith(f"model.ckpt-{newest}."):
                    raise
                del files[name]
        manifest = Manifest(attempt, newest, files)
        data = json.loads(json.dumps({_ATTEMPT: attempt, "newest": newest, "files": files}))
        signed = {**data, "signature": self._signature(trial, data)} if self.secret else data
        self._put_text(f"{self._path}/{trial}/{_MANIFEST}", json.dumps(signed))
        for name in held.keys() - files.keys():
            self._remove(f"{self._path}/{trial}/{name}")
        return manifest

    def fetch(self, trial: str, folder: Path) -> Manifest | None:
        """Make the folder hold what the mailbox holds of a trial; what else is in it stays, older checkpoints aside.

        Returns:
            What the mailbox holds, or None if it holds nothing and nothing was done.
        """
        manifest = self.manifest(trial)
        if manifest is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        for name, (size, changed) in manifest.files.items():
            file = inside(folder, name)
            if file.exists() and (file.stat().st_size, file.stat().st_mtime_ns) == (size, changed):
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_name(f".{file.name}.coming")
            self._fs.get_file(f"{self._path}/{trial}/{name}", str(beside))
            if beside.stat().st_size > size:  # it grew since, by what does not count yet
                os.truncate(beside, size)
            os.utime(beside, ns=(changed, changed))
            beside.replace(file)
        if manifest.newest is not None:
            checkpoints.name_newest(folder, manifest.newest)
        for file in (*folder.glob("model.ckpt-*"), *folder.glob("input.ckpt-*")):
            if file.name not in manifest.files:
                checkpoints.remove(file)
        return manifest

    def forget(self, trial: str) -> None:
        """Delete what is there of a trial."""
        self._remove(f"{self._path}/{trial}", recursive=True)

    def clear(self) -> None:
        """Delete everything.

        Raises:
            BackendError: It cannot be deleted, or its folder's name is none that a sweep's own has: others' files
                may be in it.
        """
        if not OWN_NAME.fullmatch(self._path.rpartition("/")[2]):
            raise BackendError(f"{self.url} is not deleted: expected a folder named like NAME-0123456789ab")
        self._remove(self._path, recursive=True)

    def _signature(self, trial: str, data: Mapping[str, Any]) -> str:
        said = json.dumps([trial, data], sort_keys=True)
        return hmac.new(self.secret.encode(), said.encode(), "sha256").hexdigest()

    def _put(self, file: Path, path: str) -> None:
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        if not self._local:
            self._fs.put_file(str(file), path)
            return
        beside = f"{path}.part"  # other file systems show whole files only; a copy shows its parts
        shutil.copyfile(file, beside)
        Path(beside).replace(path)

    def _put_text(self, path: str, text: str) -> None:
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        if not self._local:
            self._fs.pipe_file(path, text.encode())
            return
        beside = Path(f"{path}.part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)

    def _get_text(self, path: str) -> str | None:
        self._fs.invalidate_cache()
        try:
            content: Any = self._fs.cat_file(path)
        except FileNotFoundError:
            return None
        return bytes(content).decode()

    def _remove(self, path: str, recursive: bool = False) -> None:
        try:
            self._fs.rm(path, recursive=recursive)
        except FileNotFoundError:
            return
        except OSError as error:
            raise BackendError(f"cannot delete {path}: {error}") from error


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what of a trial's folder is worth keeping, checkpoints first, each with size and time of change."""
    newest = checkpoints.newest_step(folder)
    whole = {step for step in checkpoints.steps(folder) if newest is not None and step <= newest}
    found: dict[str, tuple[int, int]] = {}
    for file in sorted(folder.rglob("*"), key=lambda file: not file.name.startswith("model.ckpt-")):
        name = file.relative_to(folder)
        if not _travels(name, whole):
            continue
        try:
            seen = file.stat()
        except FileNotFoundError:
            continue
        if file.is_file():
            found[name.as_posix()] = (seen.st_size, seen.st_mtime_ns)
    return found


def _travels(name: Path, whole: set[int]) -> bool:
    if name.name in _OURS or any(part.startswith(".") for part in name.parts):
        return False
    if any(part.startswith("temp-") or part.endswith(_UNFINISHED) for part in name.parts):
        return False
    if name.name.startswith("model.ckpt-") and len(name.parts) == 1:
        step = name.name[len("model.ckpt-") :].partition(".")[0]
        return step.isdecimal() and int(step) in whole
    return True
