"""Event files made by hand: records of any bytes, and events by tensorboard's protos (no TensorFlow)."""

import struct

import google_crc32c
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT

NAME = "events.out.tfevents.1700000000.host"


def masked(data: bytes) -> int:
    """Return the checksum of a TFRecord file for ``data``."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def header(length: int) -> bytes:
    """Return the twelve bytes before a record's data."""
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked(head))


def record(data: bytes) -> bytes:
    """Return ``data`` framed as a record."""
    return header(len(data)) + data + struct.pack("<I", masked(data))


def version_event() -> bytes:
    return Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString()


def several_event(step: int, values: dict[str, float], time: float = 1.7e9) -> bytes:
    """Return an event with one ``simple_value`` a tag."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
    return Event(step=step, wall_time=time, summary=summary).SerializeToString()


def scalar_event(step: int, tag: str, value: float, time: float = 1.7e9) -> bytes:
    return several_event(step, {tag: value}, time)


def tensor_event(step: int, tag: str, value: float, time: float = 1.7e9) -> bytes:
    """Return an event as TF2's ``tf.summary.scalar`` writes it."""
    tensor = TensorProto(dtype=DT_FLOAT, tensor_content=struct.pack("<f", value))
    tensor.tensor_shape.SetInParent()
    value_ = Summary.Value(tag=tag, tensor=tensor)
    value_.metadata.plugin_data.plugin_name = "scalars"
    return Event(step=step, wall_time=time, summary=Summary(value=[value_])).SerializeToString()
