"""The scalars of a serialised ``Event`` message, without building the message.

Comes in: the bytes of one record. Goes out: step, time and scalars, and where in the bytes each scalar
stands. Only what that needs of the protocol buffer wire format is here: a training run's event files
hold graphs of megabytes beside scalars of bytes, and a field that is not looked into is skipped by its
length. Messages: ``Event`` {1 wall_time, 2 step, 5 summary}, ``Summary`` {1 value}, ``Value`` {1 tag,
2 simple_value, 8 tensor}; see tensorflow/core/util/event.proto and framework/summary.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_DOUBLE = struct.Struct("<d")

_FLOAT = struct.Struct("<f")

_OTHER_VALUES = frozenset((3, 4, 5, 6))  # histograms, images, audio: with 2 and 8 one of them holds


_Found = tuple[str, float, int, str]  # tag, value, where its bytes begin or -1, how struct writes them


@dataclass(frozen=True)
class ScalarEvent:
    """What an event says in scalars.

    Attributes:
        step: Global step.
        time: Seconds since 1970.
        scalars: Tag and value in the order of the message.
        places: Of each scalar, where its bytes begin in the message and how they are stored there, as
            ``struct`` writes it (``e``, ``f`` or ``d``); -1 if it is not stored as a float.
        values: How many values its summary has, those that are no scalars too.
    """

    step: int
    time: float
    scalars: tuple[tuple[str, float], ...]
    places: tuple[tuple[int, str], ...]
    values: int


def decode_event(data: bytes) -> ScalarEvent:
    """Return the scalars of a serialised event; none if it has no summary.

    Raises:
        ValueError: ``data`` is no protocol buffer message.
    """
    step, time = 0, 0.0
    values: list[_Found | None] = []
    try:
        for field, kind, begin, end in fields(data, 0, len(data)):
            if field == 1 and kind == FIXED64:
                time = _DOUBLE.unpack_from(data, begin)[0]
            elif field == 2 and kind == VARINT:
                step = signed(varint(data, begin, end)[0])
            elif field == 5 and kind == BYTES:
                values += _summary(data, begin, end)
    except UnicodeDecodeError as error:
        raise ValueError(f"not an event: a tag that is no text ({error.reason})") from error
    found = [value for value in values if value is not None]
    scalars = tuple((tag, value) for tag, value, _, _ in found)
    return ScalarEvent(step, time, scalars, tuple((place, code) for _, _, place, code in found), len(values))


def _summary(data: bytes, begin: int, end: int) -> Iterator[_Found | None]:
    for field, kind, at, stop in fields(data, begin, end):
        if field == 1 and kind == BYTES:
            yield _value(data, at, stop)


def _value(data: bytes, begin: int, end: int) -> _Found | None:
    """Return a summary's value, or None if it is no scalar."""
    tag, found = "", None
    for field, kind, at, stop in fields(data, begin, end):
        if field == 1 and kind == BYTES:
            tag = data[at:stop].decode()
        elif field == 2 and kind == FIXED32:
            found = (_FLOAT.unpack_from(data, at)[0], at, "f")
        elif field == 8 and kind == BYTES:
            found = scalar_of_tensor(data, at, stop)
        elif field in _OTHER_VALUES:
            found = None
    return None if found is None else (tag, *found)


VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, begin and end of the fields between two offsets.

    The begin of a field of ``BYTES`` is behind its length.

    Raises:
        ValueError: There is no message between the offsets.
    """
    at = begin
    while at < end:
        key, at = varint(data, at, end)
        kind = key & 7
        if kind == VARINT:
            stop = varint(data, at, end)[1]
        elif kind == FIXED64:
            stop = at + 8
        elif kind == FIXED32:
            stop = at + 4
        elif kind == BYTES:
            length, at = varint(data, at, end)
            stop = at + length
        else:
            raise ValueError(f"not a message: wire type {kind}")
        if stop > end:
            raise ValueError("not a message: a field goes beyond its end")
        if key < 8:
            raise ValueError("not a message: a field without a number")
        yield key >> 3, kind, at, stop
        at = stop


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the unsigned number at an offset, and the offset behind it.

    Raises:
        ValueError: It does not end before ``end``, or has more than the ten bytes of 64 bits.
    """
    value, shift = 0, 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise ValueError("not a message: a number without end")


def signed(value: int) -> int:
    """Return an unsigned 64 bit number as the signed one with the same bits."""
    return value - (1 << 64) if value >> 63 else value


_CONTENT = 4

# Type (a number of types.proto): how struct writes its element, and the list that may hold it instead.
_TYPES = {
    1: ("f", 5),  # DT_FLOAT
    2: ("d", 6),  # DT_DOUBLE
    3: ("i", 7),  # DT_INT32
    4: ("B", 7),  # DT_UINT8
    5: ("h", 7),  # DT_INT16
    6: ("b", 7),  # DT_INT8
    9: ("q", 10),  # DT_INT64
    10: ("?", 11),  # DT_BOOL
    14: ("H", 13),  # DT_BFLOAT16, the upper half of a float32
    17: ("H", 7),  # DT_UINT16
    19: ("e", 13),  # DT_HALF
    22: ("I", 16),  # DT_UINT32
    23: ("Q", 17),  # DT_UINT64
}

_BFLOAT16 = 14

_SIZES = {"f": FIXED32, "d": FIXED64}


def scalar_of_tensor(data: bytes, begin: int, end: int) -> tuple[float, int, str] | None:
    """Return the number of a tensor of one number, its place in ``data`` and how it is stored there.

    The place is -1 if the number is not stored as a float.

    Returns:
        None if the tensor has another shape or no number, or its parts do not fit each other.

    Raises:
        ValueError: There is no message between the offsets.
    """
    dtype, one, held = 0, True, {}
    for field, kind, at, stop in fields(data, begin, end):
        if field == 1 and kind == VARINT:
            dtype = varint(data, at, stop)[0]
        elif field == 2 and kind == BYTES:
            one = _is_one(data, at, stop)
        else:
            held[field] = (kind, at, stop)
    if not one or dtype not in _TYPES:
        return None
    code, values = _TYPES[dtype]
    if _CONTENT in held and held[_CONTENT][2] > held[_CONTENT][1]:
        return _from_content(data, dtype, code, held[_CONTENT])
    return _from_list(data, dtype, code, held[values]) if values in held else None


def _is_one(data: bytes, begin: int, end: int) -> bool:
    """Whether a shape is that of one element; ``TensorShapeProto`` {2 dim {1 size}, 3 unknown_rank}."""
    for field, kind, at, stop in fields(data, begin, end):
        if field == 2 and kind == BYTES:
            sizes = [varint(data, a, b)[0] for number, k, a, b in fields(data, at, stop) if (number, k) == (1, VARINT)]
            if sizes[-1:] != [1]:
                return False
        elif field == 3 and kind == VARINT and data[at]:
            return False
    return True


def _from_content(data: bytes, dtype: int, code: str, held: tuple[int, int, int]) -> tuple[float, int, str] | None:
    kind, at, stop = held
    if kind != BYTES or stop - at != struct.calcsize("<" + code):
        return None
    return _stored(data, at, code) if code in "efd" else (_number(data[at:stop], dtype, code), -1, "")


def _from_list(data: bytes, dtype: int, code: str, held: tuple[int, int, int]) -> tuple[float, int, str] | None:
    kind, at, stop = held
    if code in _SIZES:
        if kind != _SIZES[code] and (kind != BYTES or stop - at != struct.calcsize("<" + code)):
            return None
        return _stored(data, at, code)
    if kind not in (VARINT, BYTES) or at == stop:
        return None
    number, end = varint(data, at, stop)
    if end != stop:
        return None
    if code in "HeB":
        size = struct.calcsize("<" + code)
        return _number((number & ((1 << 8 * size) - 1)).to_bytes(size, "little"), dtype, code), -1, ""
    return float(bool(number) if code == "?" else number if code in "IQ" else signed(number)), -1, ""


def _stored(data: bytes, at: int, code: str) -> tuple[float, int, str]:
    return struct.unpack_from("<" + code, data, at)[0], at, code


def _number(data: bytes, dtype: int, code: str) -> float:
    if dtype == _BFLOAT16:
        return float(struct.unpack("<f", b"\0\0" + data)[0])
    return float(struct.unpack("<" + code, data)[0])
