"""The recorder's own process: follows a sweep's record log and sends what is new to MLflow.

``tuner.recorders.child`` runs it. Reads orders as lines from standard input (``look``, ``prepare``, ``drain``; its end
means that the driver is gone), and writes one JSON line for each thing that the driver wants to know: ``ready``,
``error``, ``away``, ``back``, ``drained``, ``note``.

What has arrived is remembered by its offset in the log after each batch, so a sender that is killed
sends its last batch again, which counts once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import IO, Any

from tuner.errors import TunerError
from tuner.files.litter import remove_stages
from tuner.files.paths import SweepDir
from tuner.recorders.base import Recorder, RecordsLost
from tuner.records.log import DamagedLine, begin_of_line, read_lines, read_records, read_sent_offset, write_sent_offset
from tuner.records.record import Record, SweepOpened, to_json

BATCH = 500  # records, so that a batch is soon sent and little is sent again
EVERY_S = 1.0

SOON_S = 0.1  # while something is being made
LAST_S = 20.0  # how long the rest is sent when the driver is gone
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)


class Sender:
    """Send a record log through a recorder.

    Args:
        sweep_dir: The sweep's folder.
        make: Makes the recorder to which the records go; again if the store has lost what it had.
    """

    def __init__(self, sweep_dir: SweepDir, make: Callable[[], Recorder]) -> None:
        self._dir = sweep_dir
        self._make = make
        self._recorder = make()
        self._offset = self._begin()
        self._said_spoiled: set[int] = set()  # the offsets after damaged lines that were reported
        self._failures = 0
        self._left = ""  # what attach still has to do
        self._is_open = False

    def step(self, closing: bool = False) -> bool:
        """Send what is new; return whether everything that is there has arrived, files too.

        Args:
            closing: Somebody waits for that, so nothing is put off.

        Raises:
            RecorderError: The store cannot be used as it is.
        """
        try:
            if not self._is_open:
                self._recorder.open()
                send_event(event="ready")  # the driver waits for the store, not for what a long sweep is reminded of
                self._remind()
                self._is_open = True
            self._send()
            left = self._recorder.attach(closing)
        except RecordsLost as lost:
            send_event(event="note", message=f"{lost}: all that the sweep has recorded is sent again")
            self._begin_anew()
            return False
        except OSError as error:  # a store that is away, or a disk that takes nothing
            if not self._failures:
                here = str(error.filename or "").startswith(str(self._dir.path))
                send_event(event="away", message=str(error), who="the sweep's folder" if here else "MLflow")
            self._failures += 1
            return False
        if self._failures:
            send_event(event="back")
            self._failures = 0
        if closing and left != self._left:
            send_event(event="waits", message=left)
        self._left = left
        return not left

    @property
    def pause_s(self) -> float:
        """How long to wait before the next step when there is nothing to do or the store is away."""
        if self._left and not self._failures:
            return SOON_S
        return BACK_OFF_S[min(self._failures, len(BACK_OFF_S)) - 1] if self._failures else EVERY_S

    def _begin(self) -> int:
        """Return where to go on; written down at once, before the log grows over a place that it has lost."""
        sent = read_sent_offset(self._dir.sent_file)
        begin = begin_of_line(self._dir.records_file, sent)
        if begin != sent:
            write_sent_offset(self._dir.sent_file, begin)
        return begin

    def _begin_anew(self) -> None:
        write_sent_offset(self._dir.sent_file, 0)
        self._offset, self._is_open = 0, False
        self._recorder.close()
        self._recorder = self._make()

    def _remind(self) -> None:
        """Tell a new recorder of what it needs from before the offset: the sweep, its trials and best."""
        before: list[Record] = []
        for record, offset in read_records(self._dir.records_file):
            if offset > self._offset:
                break
            before.append(record)
        if any(isinstance(record, SweepOpened) for record in before):
            self._each(self._recorder.recall, before)

    def close(self) -> None:
        """End the recorder."""
        self._recorder.close()

    def _send(self) -> None:
        while True:
            records: list[Record] = []
            end = self._offset
            for held, end in islice(read_lines(self._dir.records_file, self._offset), BATCH):
                if isinstance(held, DamagedLine):
                    self._say_spoiled(held, end)
                record = held.rest if isinstance(held, DamagedLine) else held
                records += [record] if record is not None else []
            if end == self._offset:
                return
            self._each(self._recorder.write, records)
            self._offset = end
            write_sent_offset(self._dir.sent_file, end)

    def _each(self, give: Callable[[Sequence[Record]], None], records: Sequence[Record]) -> None:
        """Give records to the recorder; one at which it fails is left out and said, as nothing is to wait for it."""
        try:
            give(records)
        except (OSError, RecordsLost, TunerError):
            raise
        except Exception as error:
            if len(records) == 1:
                line = f"{type(error).__name__}: {error}".splitlines()[0]
                send_event(
                    event="note", message=f"a record cannot be sent to MLflow ({line}): {to_json(records[0])[:200]}"
                )
                return
            for record in records:
                self._each(give, [record])

    def _say_spoiled(self, spoiled: DamagedLine, end: int) -> None:
        """Say once that a line is no record, which one, and what is lost with it."""
        if end in self._said_spoiled:
            return
        self._said_spoiled.add(end)
        with self._dir.records_file.open("rb") as stream:
            before = stream.read(end)
        number, begin = before.count(b"\n"), before.rfind(b"\n", 0, -1) + 1
        lost = "the first of the two records in it is" if spoiled.rest is not None else "what it held is"
        send_event(
            event="note",
            message=f"{self._dir.records_file}, line {number}, byte {begin}: found {spoiled.text[:60]!r}, "
            "expected a record; "
            f"a full disk or lost power left that: {lost} not sent to MLflow; tuner verify {self._dir.name} says what "
            "it lacks",
        )


def send_event(**message: Any) -> None:
    """Tell the driver something, if it is still there."""
    with contextlib.suppress(OSError, ValueError):
        print(json.dumps(message), flush=True)  # noqa: T201


def send_note(line: str) -> None:
    """Tell the driver a line for people."""
    send_event(event="note", message=line)


def run_sender(sweep_dir: SweepDir, make: Callable[[], Recorder], prepare: Callable[[], None]) -> None:
    """Send until the driver is gone and everything has arrived.

    Args:
        sweep_dir: The sweep's folder.
        make: Makes the recorder, when it is this process's turn to send.
        prepare: Called when the driver says that the sweep will end soon.

    Raises:
        SystemExit: The store cannot be used as it is; the driver has been told.
    """
    with (sweep_dir.path / "sender.lock").open("a") as lock:
        draining = _stand_by(lock, sweep_dir)
        if draining is None:
            return
        remove_stages(sweep_dir)
        try:
            with contextlib.closing(Sender(sweep_dir, make)) as sender:
                _loop(sender, prepare, draining)
        except TunerError as error:
            send_event(event="error", message=error.message, hint=error.hint)
            raise SystemExit(1) from error


def _stand_by(lock: IO[str], sweep_dir: SweepDir) -> bool | None:
    """Wait until no other process sends this sweep's records: that of another driver, or of a dead one.

    Returns:
        Whether the driver waits for everything to arrive; None if the driver is gone.
    """
    draining, said = False, False
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return draining
        if not said:
            said = True
            send_event(event="ready")
        if draining and read_sent_offset(sweep_dir.sent_file) >= sweep_dir.records_file.stat().st_size:
            send_event(event="drained")
            draining = False
        if select.select([0], [], [], EVERY_S)[0]:
            order = os.read(0, 4096)
            if not order:
                return None
            draining = draining or b"drain" in order


def _loop(sender: Sender, prepare: Callable[[], None], draining: bool = False) -> None:
    deadline = None
    while True:
        arrived = sender.step(closing=draining or deadline is not None)
        if arrived and draining:
            send_event(event="drained")
            draining = False
        if deadline is not None and (arrived or time.monotonic() > deadline):
            return
        if deadline is not None:
            time.sleep(min(0.2, sender.pause_s))
            continue
        if select.select([0], [], [], sender.pause_s)[0]:
            order = os.read(0, 4096)
            if not order:
                deadline = time.monotonic() + LAST_S
            if b"prepare" in order:
                prepare()
            draining = draining or b"drain" in order
