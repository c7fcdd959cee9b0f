"""Event files, well formed, damaged anywhere, or of random bytes, whole and as they grow piece by piece.

The reader must never fail, read a byte more often than once for each piece, or find other values in pieces than in the whole.
"""

import itertools
import random
import struct
from pathlib import Path

from tests.events.event_records import header, record, several_event, tensor_event, version_event
from tests.fuzz.part import Outcome, Part
from tuner.domain.trial import Evaluation
from tuner.events import EventFile


class Events(Part):
    """Event files."""

    name = "events"

    def made_up(self, chance):
        return made_up(chance)

    def check(self, made, chance):
        data, original, expected = made
        damaged, found = check(self.folder / "events.out.tfevents.1.host", data, chance)
        if expected is not None:
            same = next((at for at, pair in enumerate(zip(data, original, strict=False)) if len(set(pair)) > 1), None)
            same = min(len(data), len(original)) if same is None else same
            said = [(e.step, tag, repr(value)) for e in found for tag, value in e.scalars.items()]
            assert said == [one for _, events in expected for one in events][: len(said)], "found what is not there"
            assert len(said) >= sum(len(events) for end, events in expected if end <= same), "lost what is whole"
        return Outcome.REFUSED if damaged else Outcome.ACCEPTED


def check(file: Path, data: bytes, chance: random.Random) -> tuple[bool, list[Evaluation]]:
    """Read ``data`` whole and in pieces, and compare; return whether damage was found, and what was read.

    Raises:
        AssertionError: The reader did what it must not do.
    """
    file.unlink(missing_ok=True)
    file.write_bytes(data)
    whole = EventFile(file)
    found = whole.read()
    assert whole.read() == [] and len(whole.damage) <= 1
    assert whole.bytes_read <= len(data)
    assert whole.offset <= len(data)
    assert whole.damage or whole.cut_off == (whole.offset < len(data))
    file.write_bytes(b"")
    pieces, reader, at, count = [], EventFile(file), 0, 0
    with file.open("ab", buffering=0) as stream:
        while at < len(data):
            step = chance.choice((1, 7, 64, 1000, len(data)))
            stream.write(data[at : at + step])
            at, count = at + step, count + 1
            pieces += reader.read()
    assert repr(pieces) == repr(found)
    assert [(d.offset, d.reason) for d in reader.damage] == [(d.offset, d.reason) for d in whole.damage]
    assert reader.bytes_read <= len(data) + 2 * count * 1100 + 64 * count
    return bool(whole.damage), found


def made_up(chance: random.Random) -> tuple[bytes, bytes, list[tuple[int, list[tuple[int, str, str]]]] | None]:
    """Return the bytes of a file that was an event file, more or less, and what it was before.

    Returns:
        The bytes; those of the whole file; where each of its records ends, with the step, tag and value that are in it,
        or None if the bytes are wrong under right checksums, so that nobody can tell.
    """
    events, expected = [version_event()], [[]]
    for _ in range(chance.randrange(6)):
        data, said = event(chance)
        events.append(data)
        expected.append(said)
    right = chance.random() < 0.5
    if right:
        events = [harmed(one, chance) if chance.random() < 0.5 else one for one in events]
    records = [record(one) for one in events]
    original = b"".join(records)
    data = original if right else harmed(original, chance)
    if chance.random() < 0.1:
        length = chance.choice((0, 1, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 60, (1 << 64) - 1))
        data += header(length) + chance.randbytes(chance.randrange(40))
    if chance.random() < 0.2:
        data = data[: chance.randrange(len(data) + 1)]
    ends = itertools.accumulate(map(len, records))
    return data, original, None if right else list(zip(ends, expected, strict=True))


def event(chance: random.Random) -> tuple[bytes, list[tuple[int, str, str]]]:
    """Return an event, and the step, tag and value that the reader is to find in it."""
    step = chance.choice((0, 1, 127, 128, 40_000, 1 << 21, 1 << 40, -1))
    number = struct.unpack("<f", chance.randbytes(4))[0] if chance.random() < 0.5 else chance.random()
    held = repr(struct.unpack("<f", struct.pack("<f", number))[0])
    if chance.random() < 0.4:
        tag = chance.choice(("a", "loss", "x" * 200))
        return tensor_event(step, tag, number), [(step, tag, held)]
    tags = chance.sample(("a", "b", "loss", "rmse", "größe"), chance.randrange(4))
    return several_event(step, dict.fromkeys(tags, number)), [(step, tag, held) for tag in tags]


def harmed(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with some bytes changed, taken out, put in or repeated; or noise of that length."""
    if chance.random() < 0.05:
        return chance.randbytes(len(data))
    changed = bytearray(data)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(changed):
            changed[at] = chance.choice((0, 1, 0x0A, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 3:
            changed[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            changed[at:at] = changed[: chance.randrange(1, 40)]
    return bytes(changed)
