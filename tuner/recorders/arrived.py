"""Whether a tracking store has everything of a sweep that ended, found out without asking it."""

from __future__ import annotations

from collections.abc import Set

from tuner.paths import SweepDir
from tuner.recorders.attachments import attached_trials, stored_ends
from tuner.recorders.sent import read_sent
from tuner.recorders.store import has_moved, is_own, tracking_uri
from tuner.records import SweepClosed


def all_arrived(
    sweep_dir: SweepDir, given_uri: str | None, settled: Set[int], closed: SweepClosed, has_files: bool
) -> bool:
    """Whether all records and files of a sweep have arrived.

    Args:
        sweep_dir: The sweep's folder.
        given_uri: Tracking URI, or None for the root's own database.
        settled: Trials that have files there.
        closed: The last record.
        has_files: Whether the sweep's own run gets files (plots, tables) when a driver ends.
    """
    root = sweep_dir.root
    if is_own(root, tracking_uri(root, given_uri)) and (not root.database_file.exists() or has_moved(root)):
        return False
    if read_sent(sweep_dir.sent_file) != sweep_dir.records_file.stat().st_size:  # more, where the log lost its end
        return False
    return settled <= attached_trials(sweep_dir) and (not has_files or closed.time in stored_ends(sweep_dir))
