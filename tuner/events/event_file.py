"""One event file, read from where the last read ended.

Records are framed as in a TFRecord file: length (uint64), masked CRC-32C of it, data, masked CRC-32C
of the data, all little-endian. A record that is not whole yet is waited for. One that cannot be right is
damaged: that is said once, and nothing behind it is read.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from tuner.domain.trial import Evaluation
from tuner.events.decoder import Decoder

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_FRAME = _HEADER.size + _FOOTER.size
_CHUNK = 1 << 20
_LARGE = 64 << 20  # no scalars are in a record so large: it is checked in pieces, not held
_LIMIT = 1 << 31  # no event is so large: protocol buffers are not
_NEVER = (-1, -1, -1)
_LENGTHS = 1024  # lengths whose header is kept, so that its checksum is made once


@dataclass(frozen=True)
class Damage:
    """A record that cannot be read.

    Attributes:
        file: The event file.
        offset: Where the record begins, in bytes.
        reason: What is wrong with it.
    """

    file: Path
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file.parent.name}/{self.file.name} is damaged at byte {self.offset}: {self.reason}"


class EventFile:
    """Read the scalar events that were appended to a file since the last read.

    A file that is replaced or made shorter is read again from its beginning. One that is overwritten in
    place by a longer one is recognised if its bytes no longer fit.

    Args:
        path: The event file; it need not be there yet.
        folder: What its evaluations have as their folder.
        decoder: Shared by files of the same writer, or None for one of its own.

    Attributes:
        offset: Up to where it was read, in bytes: the beginning of a record.
        bytes_read: How many bytes were read in all.
        damage: The records that could not be read; one at most, but for a file that was replaced.
    """

    def __init__(self, path: Path, folder: str = "", decoder: Decoder | None = None) -> None:
        self.path = path
        self.offset = 0
        self.bytes_read = 0
        self.damage: list[Damage] = []
        self._folder = folder
        self._decoder = decoder or Decoder()
        self._lengths: dict[bytes, int] = {}
        self._lost = False
        self._seen = _NEVER
        self._needed = _HEADER.size
        self._head = b""
        self._unreadable = ""

    @property
    def cut_off(self) -> bool:
        """Whether the file ended within a record when it was last looked at."""
        return not self._lost and self._seen[1] > self.offset

    def read(self) -> list[Evaluation]:
        """Return the events with scalars of the records that have become whole, in file order.

        Costs what is new; if the file did not change only its size is looked at.
        """
        found: list[Evaluation] = []
        try:
            stat = os.stat(self.path)  # noqa: PTH116 - called often
            now = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if now == self._seen:
                return []
            before, self._seen = self._seen, now
            if before[0] not in (-1, now[0]) or now[1] < self.offset:
                self._begin_again()
                before = (now[0], -1, -1)
            suspect = self._lost or now[1] == before[1]
            if now[1] < self._needed and not suspect:
                return []
            with open(self.path, "rb", buffering=0) as stream:  # noqa: PTH123
                self._read_new(stream, now[1], suspect, found)
        except FileNotFoundError:
            self._seen = _NEVER
            self._begin_again()
        except OSError as error:
            self._say_unreadable(error)
        return found

    def _read_new(self, stream: BinaryIO, size: int, suspect: bool, found: list[Evaluation]) -> None:
        """Read up to ``size``; from the beginning if the file turns out to be another one.

        Args:
            stream: The file.
            size: How long it is.
            suspect: It changed, though there is nothing to read on from: it did not grow or is damaged.
            found: Where the events go.
        """
        if suspect:
            if not self._is_another(stream):
                return
            self._begin_again()
        first = self.offset
        self._read_to(size, stream, found)
        if self._lost and first and self._is_another(stream):
            self.damage.pop()
            self._begin_again()
            found.clear()
            self._read_to(size, stream, found)

    def _read_to(self, size: int, stream: BinaryIO, found: list[Evaluation]) -> None:
        stream.seek(self.offset)
        buffer = b""
        while self._needed <= size:
            if self._needed - self.offset > _LARGE:
                stream.seek(self.offset)
                if not self._pass_large(stream, self._needed - self.offset - _FRAME):
                    return
                buffer = b""
                continue
            wanted = max(_CHUNK, self._needed - self.offset - len(buffer))
            data = stream.read(min(wanted, size - self.offset - len(buffer)))
            if not data:  # the file shrank under us, or ends before the record does
                return
            self.bytes_read += len(data)
            if not self.offset and not buffer:
                self._head = data[:64]
            buffer = buffer + data if buffer else data
            buffer = buffer[self._parse(buffer, found) :]
            if self._lost:
                return

    def _parse(self, buffer: bytes, found: list[Evaluation]) -> int:
        """Take the whole records at the beginning of ``buffer``; return where they end in it."""
        at, end, lengths, folder = 0, len(buffer), self._lengths, self._folder
        crc_of, decode, footer = google_crc32c.value, self._decoder.decode, _FOOTER.unpack_from
        while True:
            head = buffer[at : at + 12]
            length = lengths.get(head, -1)
            if length < 0:
                length = self._length(head, at)
                if length < 0:
                    break
            stop = at + 12 + length
            if stop + 4 > end:
                self._needed = self.offset + at + length + _FRAME
                break
            data = buffer[at + 12 : stop]
            crc = crc_of(data)
            if (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF != footer(buffer, stop)[0]:
                self._note_damage("the checksum of its data is wrong", at)
                break
            try:
                event = decode(data)
            except ValueError as error:
                self._note_damage(str(error), at)
                break
            if event is not None:
                found.append(Evaluation(event[0], event[1], folder, event[2]))
            at = stop + 4
        self.offset += at
        return at

    def _length(self, head: bytes, at: int) -> int:
        """Return the length in a header, or -1 if it is not whole or cannot be right."""
        if len(head) < _HEADER.size:
            self._needed = self.offset + at + _HEADER.size
            return -1
        length, crc = _HEADER.unpack(head)
        if _mask(google_crc32c.value(head[:8])) != crc:
            self._note_damage("the checksum of its length is wrong", at)
            return -1
        if length >= _LIMIT:
            self._note_damage(f"its length of {length} bytes is more than any event has", at)
            return -1
        if len(self._lengths) < _LENGTHS:
            self._lengths[head] = length
        return int(length)

    def _pass_large(self, stream: BinaryIO, length: int) -> bool:
        """Go beyond a large record, checking it without holding it; whether that was possible."""
        stream.seek(_HEADER.size, os.SEEK_CUR)
        checksum, left = google_crc32c.Checksum(), length
        while left:
            data = stream.read(min(_CHUNK, left))
            if not data:
                return False
            self.bytes_read += len(data)
            checksum.update(data)
            left -= len(data)
        footer = stream.read(_FOOTER.size)
        self.bytes_read += len(footer)
        if len(footer) < _FOOTER.size:
            return False
        if _mask(int.from_bytes(checksum.digest(), "big")) != _FOOTER.unpack(footer)[0]:
            self._note_damage("the checksum of its data is wrong", 0)
            return False
        self.offset += length + _FRAME
        self._needed = self.offset + _HEADER.size
        return True

    def _is_another(self, stream: BinaryIO) -> bool:
        """Whether the file no longer begins as it did (its first event has the time it was made)."""
        stream.seek(0)
        head = stream.read(len(self._head))
        self.bytes_read += len(head)
        return head != self._head

    def _begin_again(self) -> None:
        self.offset, self._needed, self._lost, self._head = 0, _HEADER.size, False, b""

    def _note_damage(self, reason: str, at: int) -> None:
        self.damage.append(Damage(self.path, self.offset + at, reason))
        self._lost = True

    def _say_unreadable(self, error: OSError) -> None:
        """Say once that the file cannot be read; it is tried again."""
        self._seen = _NEVER
        if not self._unreadable:
            self._unreadable = f"it cannot be read: {error.strerror or error}"
            self.damage.append(Damage(self.path, self.offset, self._unreadable))


def _mask(crc: int) -> int:
    """Mask a checksum as TFRecord files do (a checksum of data that holds checksums is weak)."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
