"""Trials' files on the driver's side: where they travel, and how they come back into the sweep's folder."""

from __future__ import annotations

import uuid
from dataclasses import replace

from tuner.backends._base import Ended
from tuner.backends.ray.mailbox import Mailbox
from tuner.backends.ray.orders import Grown
from tuner.jobs import Ending, Job
from tuner.paths import SweepDir, TrialDir
from tuner.spec import RaySettings


def mailbox_of(settings: RaySettings, sweep_dir: SweepDir) -> Mailbox | None:
    """Return the sweep's own place in the storage; it keeps its name wherever the driver runs."""
    if not settings.storage:
        return None
    if not sweep_dir.mailbox_file.exists():
        sweep_dir.path.mkdir(parents=True, exist_ok=True)
        sweep_dir.mailbox_file.write_text(f"{sweep_dir.name}-{uuid.uuid4().hex[:12]}\n", encoding="utf-8")
    name = sweep_dir.mailbox_file.read_text(encoding="utf-8").strip()
    return Mailbox(f"{settings.storage.rstrip('/')}/{name}")


def send(mailbox: Mailbox, job: Job, trial_dir: TrialDir) -> None:
    """Make the mailbox hold what a trial goes on from."""
    name = trial_dir.path.name
    if trial_dir.away_file.exists():  # a driver died before it had fetched what the trial left
        mailbox.fetch(name, trial_dir.path)
    mailbox.send(name, trial_dir.path, job.life, mailbox.manifest(name))
    trial_dir.away_file.write_text("its newest files are in the storage\n", encoding="utf-8")


def fetch(mailbox: Mailbox, trial_dir: TrialDir, keep: bool) -> None:
    """Bring a trial's files home; ``keep`` those in the mailbox where the trial is likely to go on."""
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
    return replace(ended, result=replace(ended.result, ending=Ending.LOST, reason=reason))


def append(trial_dir: TrialDir, grown: Grown) -> None:
    """Write what a file on a node has grown by into the same file here."""
    file = trial_dir.path / grown.name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("r+b" if file.exists() else "wb") as stream:
        stream.seek(grown.offset)
        stream.write(grown.data)
