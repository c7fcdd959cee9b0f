"""Trials' files on the driver's side: where they travel, and how they come back into the sweep's folder."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from secrets import token_hex

from tuner._version import __version__
from tuner.backends.base import Ended
from tuner.backends.ray.file_transfer import OWN_NAME, FileTransfer, persevering
from tuner.backends.ray.messages import Grown, NodeSettings
from tuner.domain.job import Job, JobStatus
from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import ModelRef, RaySettings
from tuner.errors import BackendError, StoreError
from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir, TrialDir, inside


def mailbox_of(settings: RaySettings, sweep_dir: SweepDir) -> FileTransfer | None:
    """Return the sweep's own place in the storage; it keeps its name wherever the driver runs.

    Raises:
        StoreError: The file with its name is damaged, or that with its secret another user's.
        InvalidInput: The storage cannot be used.
    """
    if not settings.storage:
        return None
    file = sweep_dir.mailbox_file
    if not file.exists():
        sweep_dir.path.mkdir(parents=True, exist_ok=True)
        write_whole(sweep_dir.mailbox_secret_file, f"{token_hex()}\n", mode=0o600)
        write_whole(file, f"{sweep_dir.name}-{uuid.uuid4().hex[:12]}\n")
    name = file.read_text(encoding="utf-8", errors="replace").strip()
    if not OWN_NAME.fullmatch(name):
        raise StoreError(
            f"{file} holds {name[:60]!r}, expected the name of the sweep's own folder in {settings.storage}",
            f"write the name of the folder {sweep_dir.name}-... there into it; if there is none, delete the file",
        )
    return FileTransfer(f"{settings.storage.rstrip('/')}/{name}", _secret(sweep_dir))


def _secret(sweep_dir: SweepDir) -> str:
    file = sweep_dir.mailbox_secret_file
    try:
        return file.read_text(encoding="utf-8").strip() if file.exists() else ""
    except OSError as error:
        raise StoreError(
            f"{file} cannot be read: {error.strerror}", "run the sweep as the user who began it"
        ) from error


def node_settings(
    model: ModelRef,
    objective: Objective,
    constraints: Sequence[Constraint],
    settings: RaySettings,
    mailbox: FileTransfer | None,
    token: str,
    sweep_dir: SweepDir,
) -> NodeSettings:
    """Return what the workers on the nodes are told."""
    return NodeSettings(
        model=model,
        working_dir=settings.working_dir,
        objective=objective,
        constraints=tuple(constraints),
        version=__version__,
        mailbox=mailbox.url if mailbox else "",
        mailbox_secret=mailbox.secret if mailbox else "",
        token=token,
        shared_dir=str(sweep_dir.trials_dir),
    )


def leave_probe(mailbox: FileTransfer | None, sweep_dir: SweepDir, token: str) -> None:
    """Leave where trials' files travel, or in the folder that all share, what a node is asked whether it sees."""
    if mailbox is not None:
        mailbox.write_probe(token)
    else:
        (sweep_dir.trials_dir / f".probe-{token}").touch()


def send(mailbox: FileTransfer, job: Job, trial_dir: TrialDir) -> None:
    """Make the mailbox hold what a trial goes on from.

    Raises:
        BackendError: The storage does not take it, several times.
    """
    name = trial_dir.path.name

    def bring() -> None:
        if trial_dir.away_file.exists():  # a driver died before it had fetched what the trial left
            mailbox.fetch(name, trial_dir.path)
        mailbox.send(name, trial_dir.path, job.attempt, mailbox.manifest(name))

    try:
        persevering(bring, f"trial {job.trial}")
    except Exception as error:  # each file system has errors of its own
        raise BackendError(
            f"the files of trial {job.trial} cannot be sent to {mailbox.url}: {type(error).__name__}: {error}",
            "nothing is lost: resume the sweep when the storage is well",
        ) from error
    trial_dir.away_file.write_text("its newest files are in the storage\n", encoding="utf-8")


class Fetching:
    """Bring the files of trials that have ended home, beside whatever else goes on.

    Args:
        mailbox: Where they are.
    """

    def __init__(self, mailbox: FileTransfer) -> None:
        self._mailbox = mailbox
        self._threads = ThreadPoolExecutor(2, "mailbox")
        self._under_way: list[tuple[Future[None], Ended]] = []

    def fetch(self, ended: Ended, trial_dir: TrialDir) -> None:
        """Begin to fetch what a trial has left."""
        keep = ended.result.ending in (JobStatus.STOPPED, JobStatus.LOST)  # is likely to go on
        self._under_way.append((self._threads.submit(fetch, self._mailbox, trial_dir, keep), ended))

    def done(self) -> list[Ended]:
        """Return the ends of those whose files have come since."""
        done = [pair for pair in self._under_way if pair[0].done()]
        self._under_way = [pair for pair in self._under_way if pair not in done]
        return [with_error(ended, fetched.exception()) for fetched, ended in done]

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(wait=True)


def fetch(mailbox: FileTransfer, trial_dir: TrialDir, keep: bool) -> None:
    """Bring a trial's files home; ``keep`` those in the mailbox if the trial is likely to go on."""
    name = trial_dir.path.name
    mailbox.fetch(name, trial_dir.path)
    if not keep:
        mailbox.forget(name)
    trial_dir.away_file.unlink(missing_ok=True)


def with_error(ended: Ended, error: BaseException | None) -> Ended:
    """Return the end of a trial whose files could not be fetched as that of one that was lost."""
    if error is None:
        return ended
    reason = f"its files cannot be fetched: {error}"
    return replace(ended, result=replace(ended.result, ending=JobStatus.LOST, reason=reason))


def append(trial_dir: TrialDir, grown: Grown) -> None:
    """Write what a file on a node has grown by into the same file here.

    Raises:
        StoreError: The node names a file outside the trial's folder.
    """
    file = inside(trial_dir.path, grown.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("r+b" if file.exists() else "wb") as stream:
        stream.seek(grown.offset)
        stream.write(grown.data)
