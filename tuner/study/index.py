"""What a journal came to, kept beside it, so that a long one is not replayed by every command that looks at it.

The index is made from the journal whenever many lines have come since the one that is there, and it holds for as
long as the journal begins with the very bytes that it was made from. One that is gone, damaged, or of another journal
is made anew. It is never needed, and nothing stands in it alone.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from pathlib import Path
from typing import BinaryIO

from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir
from tuner.study.replay import Replay, ReplayedStudy, ReplayedTrial

WORTH_IT = 20_000  # lines to replay, from which on an index is written: some thousand trials
_VERSION = 2
_BLOCK = 1 << 20


def replay_journal(sweep_dir: SweepDir) -> Replay:
    """Return what a sweep's journal comes to, by its index as far as that goes.

    Raises:
        Unusual: Optuna is to read it.
        OSError: It cannot be read.
    """
    with sweep_dir.journal_file.open("rb") as stream:
        replay = _indexed(sweep_dir.study_index_file, stream) or Replay()
        replay.read(stream)
        if replay.lines >= WORTH_IT:
            with contextlib.suppress(OSError):  # a folder that is only read, a disk that is full
                _write(sweep_dir.study_index_file, replay, stream)
    return replay


def _indexed(file: Path, journal: BinaryIO) -> Replay | None:
    """Return what an index holds; None if it is not of this journal."""
    try:
        head, body = file.read_bytes().split(b"\n", 1)
        of_index, of_journal, end, lines, version = json.loads(head)
        if version != _VERSION or zlib.crc32(body) != of_index or _checksum(journal, end) != of_journal:
            return None
        kinds, studies, trials = json.loads(body)
    except (OSError, ValueError, TypeError):
        return None
    replay = Replay()
    replay.end, replay.before = end, lines
    for text in kinds:
        replay.kind(text)
    replay.studies = [ReplayedStudy(*study) for study in studies]
    replay.trials = [ReplayedTrial.of_row(row) for row in trials]
    replay.recall_first_kinds()
    return replay


def _write(file: Path, replay: Replay, journal: BinaryIO) -> None:
    studies = [list(vars(study).values()) for study in replay.studies]
    trials = [trial.row() for trial in replay.trials]
    body = json.dumps([replay.kinds, studies, trials], separators=(",", ":"))
    end, lines = replay.end, replay.before + replay.lines
    head = [zlib.crc32(body.encode()), _checksum(journal, end), end, lines, _VERSION]
    write_whole(file, f"{json.dumps(head)}\n{body}")


def _checksum(journal: BinaryIO, end: int) -> int | None:
    """Return a checksum of a journal's beginning; None if it is shorter."""
    journal.seek(0)
    found, left = 0, end
    while left:
        block = journal.read(min(left, _BLOCK))
        if not block:
            return None
        found, left = zlib.crc32(block, found), left - len(block)
    return found
