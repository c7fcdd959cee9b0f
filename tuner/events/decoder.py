"""Events that look like earlier ones, decoded by what was learnt from those.

An event of scalars differs from the one before it in its time, its step and its numbers; every other
byte is the same. So an event that is parsed field by field (``tuner.events.wire``) leaves a layout: the
bytes between the numbers, and the tags. Where those bytes are found again, one ``struct`` call gives all
numbers. What comes out is what parsing would give: no byte that the parser branches on may differ.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from tuner.events.wire import ScalarEvent, parse_event

_TIME = struct.Struct("<d").unpack_from
_TIME_KEY, _STEP_KEY, _SUMMARY_KEY = 0x09, 0x10, 0x2A
_ROOM = 1 << 20  # bytes of layouts that are kept
_WAYS = 8  # orders of numbers for one length of event

Decoded = tuple[int, float, dict[str, float]]
"""Step, time and scalars of an event; of a tag that stands twice the first value counts."""

_Shape = tuple[Callable[[bytes, int], tuple[Any, ...]], dict[tuple[Any, ...], tuple[str, ...]]]


class Decoder:
    """Decode events; keeps at most a megabyte of layouts."""

    def __init__(self) -> None:
        self._shapes: dict[int, list[_Shape]] = {}
        self._room = _ROOM

    def decode(self, data: bytes) -> Decoded | None:
        """Return what an event says, or None where it has no scalars.

        Raises:
            ValueError: ``data`` is no event.
        """
        size = len(data)
        if size > 12 and data[0] == _TIME_KEY:
            step, at = 0, 9
            if data[9] == _STEP_KEY:
                step, at = data[10], 11
                if step > 127:
                    step, at = _step(data)
            for unpack, known in self._shapes.get(size - at, ()):
                parts = unpack(data, at)
                tags = known.get(parts[::2])
                if tags is not None:
                    if len(parts) == 3:
                        return step, _TIME(data, 1)[0], {tags[0]: parts[1]}
                    return step, _TIME(data, 1)[0], dict(zip(tags, parts[1::2], strict=True))
        return self._parse(data)

    def _parse(self, data: bytes) -> Decoded | None:
        event = parse_event(data)
        if not event.scalars:
            return None
        scalars: dict[str, float] = {}
        for scalar in event.scalars:
            scalars.setdefault(scalar.tag, scalar.value)
        self._learn(data, event, scalars)
        return event.step, event.time, scalars

    def _learn(self, data: bytes, event: ScalarEvent, scalars: Mapping[str, float]) -> None:
        """Keep the layout of an event of nothing but time, step and numbers stored as floats."""
        at = _summary_of(data)
        fits = len(data) + 200 <= self._room and len(scalars) == event.values
        if at < 0 or not fits or any(scalar.place < 0 for scalar in event.scalars):
            return
        form, end = "<", at
        for scalar in event.scalars:
            form += f"{scalar.place - end}s{scalar.code}"
            end = scalar.place + struct.calcsize("<" + scalar.code)
        layout = struct.Struct(f"{form}{len(data) - end}s")
        parts = layout.unpack_from(data, at)
        shapes = self._shapes.setdefault(len(data) - at, [])
        for unpack, known in shapes:
            if unpack(data, at)[1::2] == parts[1::2] and len(unpack(data, at)[0]) == len(parts[0]):
                break
        del shapes[_WAYS:]
        self._room -= len(data) + 200
