"""Feed the event reader bytes: ``python -m tests.events.fuzz [--seconds S | --inputs N] [--seed SEED]``.

Each input is an event file that was damaged, cut, joined or made of noise, half of the time with
checksums made right again so that the bytes reach the decoder; it comes in pieces. Whatever the bytes,
there must be evaluations, a damage report or a wait; no read may hold more than its record nor read a
byte more often than once for each piece; what was found must not depend on the pieces.
"""

import argparse
import random
import struct
import sys
import tempfile
import time
from pathlib import Path

from tuner.events import EventFile

try:
    from tests.events.event_records import header, record, several_event, tensor_event, version_event
except ImportError:  # run by pytest, which has this folder on its path
    from tests.events.event_records import header, record, several_event, tensor_event, version_event


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--inputs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begin, limit = time.monotonic(), arguments.inputs
    seconds = arguments.seconds if limit is None else None
    seconds = 10.0 if seconds is None and limit is None else seconds
    tried = values = damaged = waited = 0
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.out.tfevents.1.host"
        while (limit is None or tried < limit) and (seconds is None or time.monotonic() - begin < seconds):
            found, damage, cut = check(file, made_up(chance), chance)
            tried, values = tried + 1, values + found
            damaged, waited = damaged + damage, waited + cut
    print(f"{tried} inputs tried, seed {arguments.seed}: {values} values, {damaged} damaged, {waited} cut off")
    return 0


def check(file: Path, data: bytes, chance: random.Random) -> tuple[int, bool, bool]:
    """Read ``data`` whole and in pieces, and compare.

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
    return sum(len(one.scalars) for one in found), bool(whole.damage), whole.cut_off


def made_up(chance: random.Random) -> bytes:
    """Return the bytes of a file that was an event file, more or less."""
    events = [version_event()]
    for _ in range(chance.randrange(6)):
        events.append(event(chance))
    if chance.random() < 0.5:  # wrong bytes under right checksums
        events = [harmed(one, chance) if chance.random() < 0.5 else one for one in events]
        data = b"".join(map(record, events))
    else:
        data = harmed(b"".join(map(record, events)), chance)
    if chance.random() < 0.1:
        length = chance.choice((0, 1, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 60, (1 << 64) - 1))
        data += header(length) + chance.randbytes(chance.randrange(40))
    if chance.random() < 0.2:
        data = data[: chance.randrange(len(data) + 1)]
    return data


def event(chance: random.Random) -> bytes:
    step = chance.choice((0, 1, 127, 128, 40_000, 1 << 21, 1 << 40, -1))
    number = struct.unpack("<f", chance.randbytes(4))[0] if chance.random() < 0.5 else chance.random()
    if chance.random() < 0.4:
        return tensor_event(step, chance.choice(("a", "loss", "x" * 200)), number)
    tags = chance.sample(("a", "b", "loss", "rmse", "größe"), chance.randrange(4))
    return several_event(step, dict.fromkeys(tags, number))


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


if __name__ == "__main__":
    sys.exit(main())
