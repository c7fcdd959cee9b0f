"""Event files of simulated trials, as an Estimator's evaluations write them: TensorBoard shows them."""

from __future__ import annotations

import struct

from tuner.domain.trial import Evaluation
from tuner.files.paths import TrialDir

_NAME = "events.out.tfevents.{:010d}.simulated"


class EventFiles:
    """Append evaluations to a trial's event file."""

    def write(self, trial_dir: TrialDir, evaluation: Evaluation) -> None:
        """Append one event with the scalars of an evaluation, in the folder that it names."""
        folder = trial_dir.path / evaluation.folder
        folder.mkdir(parents=True, exist_ok=True)
        file = next(iter(sorted(folder.glob("events.out.tfevents.*"))), folder / _NAME.format(int(evaluation.time)))
        records = b"" if file.exists() else _record(_version(evaluation.time))
        with file.open("ab") as stream:
            stream.write(records + _record(_event(evaluation)))


def _version(time: float) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event

    data: bytes = Event(wall_time=time, file_version="brain.Event:2").SerializeToString()
    return data


def _event(evaluation: Evaluation) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in evaluation.scalars.items()]
    data: bytes = Event(
        wall_time=evaluation.time, step=evaluation.step, summary=Summary(value=values)
    ).SerializeToString()
    return data


def _record(data: bytes) -> bytes:
    """Return ``data`` framed as a record of a TFRecord file: length, data, a masked CRC-32C behind each."""
    head = struct.pack("<Q", len(data))
    return head + _checksum(head) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    import google_crc32c

    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
