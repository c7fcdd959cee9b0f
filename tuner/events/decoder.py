"""Events that look like earlier ones, decoded by what was learnt from those.

An event of scalars differs from the one before it in its time, its step and its numbers; every other
byte is the same. So an event that is parsed field by field (``tuner.events.event_proto``) leaves a layout: the
bytes between the numbers, and the tags. If those bytes are found again, one ``struct`` call gives all
numbers. What comes out is what parsing would give: no byte that the parser branches on may differ.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from tuner.events.event_proto import ScalarEvent, decode_event, signed, varint

_START = struct.Struct("<BdBBBB").unpack_from
_SHORTEST = 14
_TIME_KEY, _STEP_KEY, _SUMMARY_KEY = 0x09, 0x10, 0x2A
_ROOM = 1 << 20  # bytes of layouts that are kept
_WAYS = 8  # kinds of layout for events of one length

Decoded = tuple[int, float, dict[str, float]]
"""Step, time and scalars of an event; of a tag that stands twice the first value counts."""


class _Shape(NamedTuple):
    """Where the numbers are in events of one length, and the tags for what stands between them."""

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    known: dict[tuple[Any, ...], tuple[str, ...]]
    form: str


class Decoder:
    """Decode events; keeps about a megabyte of layouts at most."""

    def __init__(self) -> None:
        self._shapes: dict[int, list[_Shape]] = {}
        self._room = _ROOM

    def decode(self, data: bytes) -> Decoded | None:
        """Return what an event says, or None if it has no scalars.

        Raises:
            ValueError: ``data`` is no event.
        """
        if len(data) < _SHORTEST:
            return self._parse(data, 0)
        time_key, time, step_key, step, second, third = _START(data)
        if step_key != _STEP_KEY:
            step, at = 0, 9
        elif step < 128:
            at = 11
        elif second < 128:
            step, at = step + (second << 7) - 128, 12
        elif third < 128:
            step, at = step + (second << 7) + (third << 14) - 16512, 13
        else:
            step, at = _long_step(data)
        for unpack, known, _ in self._shapes.get(len(data) - at, ()):
            parts = unpack(data, at)
            tags = known.get(parts[::2])
            if tags is not None and time_key == _TIME_KEY:
                if len(parts) == 3:
                    return step, time, {tags[0]: parts[1]}
                return step, time, dict(zip(tags, parts[1::2], strict=True))
        return self._parse(data, at if time_key == _TIME_KEY else len(data))

    def _parse(self, data: bytes, at: int) -> Decoded | None:
        event = decode_event(data)
        if not event.scalars:
            return None
        scalars: dict[str, float] = {}
        for tag, value in event.scalars:
            scalars.setdefault(tag, value)
        if len(scalars) == event.values and _is_summary(data, at):
            self._learn(data, at, event)
        return event.step, event.time, scalars

    def _learn(self, data: bytes, at: int, event: ScalarEvent) -> None:
        """Keep the layout of an event of nothing but time, step and numbers stored as floats."""
        room = self._room - len(data) - 200
        if room < 0 or any(place < 0 for place, _ in event.places):
            return
        form, end = "<", at
        for place, code in event.places:
            form += f"{place - end}s{code}"
            end = place + struct.calcsize("<" + code)
        form += f"{len(data) - end}s"
        shapes = self._shapes.setdefault(len(data) - at, [])
        shape = next((shape for shape in shapes if shape.form == form), None)
        if shape is None and len(shapes) < _WAYS:
            shape = _Shape(struct.Struct(form).unpack_from, {}, form)
            shapes.append(shape)
        if shape is not None:
            shape.known[shape.unpack(data, at)[::2]] = tuple(tag for tag, _ in event.scalars)
            self._room = room


def _long_step(data: bytes) -> tuple[int, int]:
    """Return the step of an event and the offset behind it, its end if the step has no end."""
    try:
        step, at = varint(data, 10, len(data))
    except ValueError:
        return 0, len(data)
    return signed(step), at


def _is_summary(data: bytes, at: int) -> bool:
    """Whether there is a summary at an offset, and nothing behind it."""
    if at >= len(data) or data[at] != _SUMMARY_KEY:
        return False
    length, begin = varint(data, at + 1, len(data))
    return begin + length == len(data)
