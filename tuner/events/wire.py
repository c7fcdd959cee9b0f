"""The scalars of a serialised ``Event`` message, without building the message.

Only what the reader needs of the protocol buffer wire format: a training run's event files hold
graphs of megabytes beside scalars of bytes, and skipping a field costs nothing where parsing it costs
much. Messages: ``Event`` {1 wall_time, 2 step, 5 summary}, ``Summary`` {1 value}, ``Value`` {1 tag,
2 simple_value, 8 tensor}; see tensorflow/core/util/event.proto and framework/summary.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")


@dataclass(frozen=True)
class ScalarEvent:
    """What an event says in scalars.

    Attributes:
        step: Global step.
        time: Seconds since 1970.
        scalars: Tag and value in the order of the message.
    """

    step: int
    time: float
    scalars: tuple[tuple[str, float], ...]


def decode_event(data: bytes) -> ScalarEvent:
    """Return the scalars of a serialised event; none where it has no summary.

    Raises:
        ValueError: ``data`` is no protocol buffer message.
    """
    step, time, scalars = 0, 0.0, []
    try:
        for field, kind, begin, end in _fields(data, 0, len(data)):
            if field == 1 and kind == _FIXED64:
                time = _DOUBLE.unpack_from(data, begin)[0]
            elif field == 2 and kind == _VARINT:
                step = _signed(_varint(data, begin, end)[0])
            elif field == 5 and kind == _BYTES:
                scalars += _summary(data, begin, end)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not an event: {error}") from error
    return ScalarEvent(step, time, tuple(scalars))


def _summary(data: bytes, begin: int, end: int) -> Iterator[tuple[str, float]]:
    for field, kind, at, stop in _fields(data, begin, end):
        if field == 1 and kind == _BYTES:
            found = _value(data, at, stop)
            if found is not None:
                yield found


def _value(data: bytes, begin: int, end: int) -> tuple[str, float] | None:
    """Return tag and value of a summary's value, or None where it is no scalar."""
    tag, value = "", None
    for field, kind, at, stop in _fields(data, begin, end):
        if field == 1 and kind == _BYTES:
            tag = data[at:stop].decode()
        elif field == 2 and kind == _FIXED32:
            value = _FLOAT.unpack_from(data, at)[0]
        elif field == 8 and kind == _BYTES:
            value = _scalar_of_tensor(data[at:stop])
    return None if value is None else (tag, value)


def _scalar_of_tensor(data: bytes) -> float | None:
    """Return the number that a serialised tensor of one number holds, or None."""
    if len(data) > 256:  # no scalar
        return None
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.util.tensor_util import make_ndarray

    try:
        proto = TensorProto.FromString(data)
        if any(dim.size != 1 for dim in proto.tensor_shape.dim):
            return None
        array = make_ndarray(proto)
    except (DecodeError, TypeError, ValueError) as error:
        raise ValueError(f"not a tensor: {error}") from error
    if array.size != 1 or array.dtype.kind not in "fiub":
        return None
    return float(array.reshape(()))


def _fields(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, begin and end of the fields between two offsets."""
    at = begin
    while at < end:
        key, at = _varint(data, at, end)
        kind = key & 7
        if kind == _VARINT:
            stop = _varint(data, at, end)[1]
        elif kind == _FIXED64:
            stop = at + 8
        elif kind == _FIXED32:
            stop = at + 4
        elif kind == _BYTES:
            length, at = _varint(data, at, end)
            stop = at + length
        else:
            raise ValueError(f"not a message: wire type {kind}")
        if stop > end:
            raise ValueError("not a message: a field goes beyond its end")
        yield key >> 3, kind, at, stop
        at = stop


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the varint at an offset, and the offset behind it."""
    byte = data[at]
    at += 1
    if byte < 128:
        return byte, at
    value, shift = byte & 127, 7
    while True:
        if at >= end or shift > 63:
            raise ValueError("not a message: a varint without end")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _signed(value: int) -> int:
    """Return an unsigned 64 bit number as the signed one with the same bits."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
