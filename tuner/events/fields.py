"""The fields of a protocol buffer message: bytes come in, places of fields go out.

See https://protobuf.dev/programming-guides/encoding. Groups are refused: no event has them.
"""

from __future__ import annotations

from collections.abc import Iterator

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
