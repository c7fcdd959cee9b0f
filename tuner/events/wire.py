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

from tuner.events.fields import BYTES, FIXED32, FIXED64, VARINT, fields, signed, varint
from tuner.events.tensor import scalar_of_tensor

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
            ``struct`` writes it (``e``, ``f`` or ``d``); -1 where it is not stored as a float.
        values: How many values its summary has, those that are no scalars too.
    """

    step: int
    time: float
    scalars: tuple[tuple[str, float], ...]
    places: tuple[tuple[int, str], ...]
    values: int


def decode_event(data: bytes) -> ScalarEvent:
    """Return the scalars of a serialised event; none where it has no summary.

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
    """Return a summary's value, or None where it is no scalar."""
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
