"""One event file, read from where the last read ended.

Records are framed as in a TFRecord file: length (uint64), masked CRC-32C of it, data, masked CRC-32C
of the data, all little-endian. A record that is not whole yet is waited for; one whose checksum is
wrong is damaged, which is said once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from tuner.events.wire import ScalarEvent, decode_event

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_CHUNK = 1 << 20
_LARGE = 64 << 20  # no scalars are in a record so large: it is checked in pieces, not held


@dataclass(frozen=True)
class Damage:
    """A record that cannot be read.

    Attributes:
        file: The event file.
        offset: Where the record begins, in bytes.
        reason: What is wrong with it.
        skipped: Whether reading went on behind it; otherwise the rest of the file is lost.
    """

    file: Path
    offset: int
    reason: str
    skipped: bool


class EventFile:
    """Read the scalar events that were appended to a file since the last read.

    Args:
        path: The event file; it may grow, or be replaced by a shorter one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.bytes_read = 0
        self.damage: list[Damage] = []
        self._lost = False
        self._size_seen = -1

    def read(self) -> list[ScalarEvent]:
        """Return the events of the records that have become whole; nothing where there is none."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return []
        if size == self._size_seen:
            return []
        if size < self.offset:  # another file of the same name
            self.offset, self._lost = 0, False
        self._size_seen = size
        if self._lost or size - self.offset < _HEADER.size:
            return []
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            return self._read_to(size, stream)

    def _read_to(self, size: int, stream: BinaryIO) -> list[ScalarEvent]:
        events: list[ScalarEvent] = []
        buffer, at = b"", 0
        while True:
            if len(buffer) - at < _HEADER.size:
                buffer, at = self._more(buffer, at, stream), 0
                if len(buffer) < _HEADER.size:
                    return events
            length, length_crc = _HEADER.unpack_from(buffer, at)
            if _masked(buffer[at : at + 8]) != length_crc:
                self._say("the checksum of its length is wrong", skipped=False)
                return events
            whole = _HEADER.size + length + _FOOTER.size
            if self.offset + whole > size:
                return events
            if whole > _LARGE:
                stream.seek(self.offset)
                self._pass_large(stream, length)
                buffer, at = b"", 0
                continue
            while len(buffer) - at < whole:
                longer = self._more(buffer, at, stream, whole)
                if len(longer) == len(buffer) - at:  # the file shrank under us
                    return events
                buffer, at = longer, 0
            self._take(buffer, at, length, events)
            at += whole
            self.offset += whole

    def _take(self, buffer: bytes, at: int, length: int, events: list[ScalarEvent]) -> None:
        data = buffer[at + _HEADER.size : at + _HEADER.size + length]
        crc = _FOOTER.unpack_from(buffer, at + _HEADER.size + length)[0]
        if _masked(data) != crc:
            self._say("the checksum of its data is wrong", skipped=True)
            return
        try:
            event = decode_event(data)
        except ValueError as error:
            self._say(str(error), skipped=True)
            return
        if event.scalars:
            events.append(event)

    def _more(self, buffer: bytes, at: int, stream: BinaryIO, wanted: int = 0) -> bytes:
        """Return what is left of a buffer with the next bytes of the file behind it."""
        data = stream.read(max(_CHUNK, wanted))
        self.bytes_read += len(data)
        return buffer[at:] + data

    def _pass_large(self, stream: BinaryIO, length: int) -> None:
        """Go beyond a large record, checking it without holding it."""
        stream.seek(_HEADER.size, 1)
        checksum, left = google_crc32c.Checksum(), length
        while left:
            data = stream.read(min(_CHUNK, left))
            if not data:
                return
            self.bytes_read += len(data)
            checksum.update(data)
            left -= len(data)
        crc = _FOOTER.unpack(stream.read(_FOOTER.size))[0]
        if _mask(int.from_bytes(checksum.digest(), "big")) != crc:
            self._say("the checksum of its data is wrong", skipped=True)
        self.offset += _HEADER.size + length + _FOOTER.size

    def _say(self, reason: str, skipped: bool) -> None:
        self.damage.append(Damage(self.path, self.offset, reason, skipped))
        self._lost = not skipped


def _masked(data: bytes) -> int:
    return _mask(google_crc32c.value(data))


def _mask(crc: int) -> int:
    """Mask a checksum as TFRecord files do (a checksum of data that holds checksums is weak)."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
