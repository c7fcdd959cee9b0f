"""What trainers report by the cloudml-hypertune package, as events in an event file.

The package rewrites a file of JSON lines with each report, the newest hundred of them; where it is
says ``CLOUD_ML_HP_METRIC_FILE``. Each new report becomes an event beside that file, with the value as
the double that it is, so that everything behind reads event files only.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c

from tuner.events.follower import read_all

FOLDER = "hypertune"
"""Folder of the metric file and of its event file, below the trial's."""

_KNOWN = ("timestamp", "trial", "global_step", "checkpoint_path")


def metric_file(trial_dir: Path) -> Path:
    """Return where the trainer of a trial writes its reports."""
    return trial_dir / FOLDER / "output.metrics"


@dataclass(frozen=True)
class Report:
    """One report: ``step`` is 0 if the trainer gave none."""

    time: float
    tag: str
    value: float
    step: int


class HypertuneFile:
    """Turn new reports into events.

    Reports without a global step are counted: 1, 2, 3.

    Args:
        trial_dir: The trial's folder.
    """

    def __init__(self, trial_dir: Path) -> None:
        self._file = metric_file(trial_dir)
        self._seen: tuple[int, int, int] | None = None
        self._taken: set[tuple[float, str]] | None = None
        self._counts: Counter[str] = Counter()
        self._events: Path | None = None

    def poll(self) -> None:
        """Append an event for each report that is new; costs a ``stat`` if the file did not change."""
        try:
            stat = self._file.stat()
            now = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if now == self._seen or not stat.st_size:
                return
            text = self._file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return
        reports = [_report(line) for line in text.splitlines()]
        if text.endswith("\n") and all(reports):  # otherwise it is being rewritten
            self._seen = now
        self._append_events([report for report in reports if report is not None])

    def _append_events(self, reports: list[Report]) -> None:
        if self._taken is None:
            before = [e for e in read_all(self._file.parent, training=True) if not e.folder]
            self._taken = {(event.time, tag) for event in before for tag in event.scalars}
            self._counts.update(tag for _, tag in self._taken)
        data = b""
        for report in reports:
            if (report.time, report.tag) not in self._taken:
                self._taken.add((report.time, report.tag))
                self._counts[report.tag] += 1
                data += _record(_event(report, report.step or self._counts[report.tag]))
        if data:
            self._append(data)

    def _append(self, data: bytes) -> None:
        if self._events is None or not self._events.exists():
            from tensorboard.compat.proto.event_pb2 import Event

            head = Event(wall_time=self._file.stat().st_mtime, file_version="brain.Event:2")
            name = f"events.out.tfevents.{int(head.wall_time)}.{socket.gethostname()}.hypertune"
            self._events = self._file.with_name(name)
            data = (b"" if self._events.exists() else _record(head.SerializeToString())) + data
        with self._events.open("ab") as stream:
            stream.write(data)


def _report(line: str) -> Report | None:
    """Return the report of a line, or None if it is not whole."""
    try:
        said = json.loads(line)
        tag = next(key for key in said if key not in _KNOWN)
        return Report(float(said["timestamp"]), tag, float(said[tag]), int(said.get("global_step") or 0))
    except (ValueError, TypeError, KeyError, StopIteration):
        return None


def _event(report: Report, step: int) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_DOUBLE

    plugin = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    value: Any = TensorProto(dtype=DT_DOUBLE, double_val=[report.value])
    summary = Summary(value=[Summary.Value(tag=report.tag, tensor=value, metadata=plugin)])
    data: bytes = Event(wall_time=report.time, step=step, summary=summary).SerializeToString()
    return data


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)
