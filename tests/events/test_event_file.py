"""One event file: whole, cut off, damaged, growing, replaced."""

import os
import struct
from pathlib import Path

import pytest

from tests.events.event_records import NAME, header, record, scalar_event, several_event, tensor_event, version_event
from tests.events.tensorboard_files import FILE, event, write
from tuner.events import EventFile, Follower


def pairs(evaluations):
    return [(e.step, tag, value) for e in evaluations for tag, value in e.scalars.items()]


def flat(said):
    return [one for event in said for one in event]


@pytest.fixture
def small():
    """Records of a small event file, and what each says."""
    events = [
        version_event(),
        scalar_event(1, "rmse", 0.1),
        scalar_event(200, "rmse", 0.2),
        several_event(300, {"rmse": 0.3, "mae": 0.5, "loss": float("inf")}),
        tensor_event(70_000, "rmse", 0.4),
        scalar_event(5_000_000, "rmse", 0.25),
    ]
    f32 = [struct.unpack("<f", struct.pack("<f", x))[0] for x in (0.1, 0.2, 0.3, 0.4)]
    said = [
        [],
        [(1, "rmse", f32[0])],
        [(200, "rmse", f32[1])],
        [(300, "rmse", f32[2]), (300, "mae", 0.5), (300, "loss", float("inf"))],
        [(70_000, "rmse", f32[3])],
        [(5_000_000, "rmse", 0.25)],
    ]
    return [record(event) for event in events], said


def ends_of(records):
    ends, end = [], 0
    for one in records:
        end += len(one)
        ends.append(end)
    return ends


def test_a_whole_file_gives_every_scalar_and_no_damage(tmp_path, small):
    records, said = small
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(b"".join(records))
    assert pairs(file.read()) == flat(said)
    assert (file.damage, file.cut_off, file.bytes_read) == ([], False, len(b"".join(records)))


def test_cut_at_every_byte_it_gives_the_whole_records_then_the_rest_when_it_comes(tmp_path, small):
    records, said = small
    data, ends = b"".join(records), ends_of(records)
    for cut in range(len(data) + 1):
        file = EventFile(tmp_path / f"{NAME}.{cut}")
        file.path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert pairs(file.read()) == flat(said[:whole])
        assert file.damage == []
        assert file.cut_off == (cut not in (0, *ends))
        file.path.write_bytes(data)
        assert pairs(file.read()) == flat(said[whole:])
        assert (file.damage, file.cut_off) == ([], False)


def test_damaged_at_every_byte_it_gives_what_is_before_and_says_so_once(tmp_path, small):
    records, said = small
    data, ends = b"".join(records), ends_of(records)
    for at in range(len(data)):
        file = EventFile(tmp_path / f"{NAME}.{at}")
        file.path.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        whole = sum(end <= at for end in ends)
        assert pairs(file.read()) == flat(said[:whole])
        begin = ([0, *ends])[whole]
        assert [(d.file, d.offset) for d in file.damage] == [(file.path, begin)]
        assert "checksum" in file.damage[0].reason
        with file.path.open("ab") as stream:
            stream.write(records[1])
        assert (file.read(), len(file.damage)) == ([], 1)


def test_written_byte_by_byte_it_says_each_event_once_when_it_is_whole(tmp_path, small):
    records, said = small
    file = EventFile(tmp_path / NAME)
    ends, found = ends_of(records), []
    with file.path.open("wb", buffering=0) as stream:
        for at, byte in enumerate(b"".join(records), 1):
            stream.write(bytes([byte]))
            found += pairs(file.read())
            assert found == flat(said[: sum(end <= at for end in ends)])
    assert file.damage == []


def test_a_second_read_reads_what_was_appended_and_a_third_nothing(tmp_path, small):
    records, _ = small
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(b"".join(records) * 50)
    file.read()
    before = file.bytes_read
    with file.path.open("ab") as stream:
        stream.write(records[1] + records[3])
    file.read()
    assert file.bytes_read - before == len(records[1] + records[3])
    file.read()
    assert file.bytes_read - before == len(records[1] + records[3])


def test_a_record_that_comes_in_pieces_is_not_read_with_each_of_them(tmp_path):
    event = scalar_event(1, "rmse", 0.5) + b"\x4a" + b"\x80\x80\x40" + b"x" * (1 << 20)  # a large other field
    data = record(event)
    file = EventFile(tmp_path / NAME)
    with file.path.open("wb", buffering=0) as stream:
        for at in range(0, len(data), 4096):
            assert file.read() == []
            stream.write(data[at : at + 4096])
    assert pairs(file.read()) == [(1, "rmse", 0.5)]
    assert file.bytes_read <= len(data) + 4096


@pytest.mark.parametrize("length", [1 << 31, 1 << 60, (1 << 64) - 1])
def test_a_length_that_no_event_has_is_damage_though_its_checksum_is_right(tmp_path, length):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(record(scalar_event(1, "a", 1.0)) + header(length) + b"x" * 100)
    assert len(file.read()) == 1
    assert str(length) in file.damage[0].reason


def test_a_length_beyond_the_end_is_waited_for_without_reading_or_holding_it(tmp_path):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(header((1 << 31) - 1) + b"x" * 100)
    assert file.read() == []
    with file.path.open("ab") as stream:
        stream.write(b"x" * 100_000)
    assert file.read() == []
    assert (file.damage, file.cut_off, file.bytes_read) == ([], True, 112)


@pytest.mark.parametrize("whole", [True, False])
def test_a_very_large_record_is_passed_in_pieces_and_checked(tmp_path, whole):
    import tracemalloc

    large = record(b"\x22" + b"\x80\x80\x80\x28" + bytes(80 << 20))
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(large[:1000])
    assert (file.read(), file.cut_off) == ([], True)
    end = large[-4:] if whole else b"abcd"
    with file.path.open("ab") as stream:
        stream.write(large[1000:-4] + end + record(scalar_event(2, "a", 1.0)))
    del large
    tracemalloc.start()
    found = pairs(file.read())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == ([(2, "a", 1.0)] if whole else [])
    assert len(file.damage) == (not whole)
    assert peak < 8 << 20


def test_a_replaced_file_is_read_from_its_beginning(tmp_path):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(record(scalar_event(1, "a", 1.0)))
    assert pairs(file.read()) == [(1, "a", 1.0)]
    other = tmp_path / "other"
    other.write_bytes(record(scalar_event(1, "a", 2.0)))
    other.replace(file.path)
    assert pairs(file.read()) == [(1, "a", 2.0)]


def test_a_file_truncated_and_written_again_is_read_from_its_beginning(tmp_path):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(record(scalar_event(1, "a", 1.0)) * 3)
    file.read()
    file.path.write_bytes(record(scalar_event(7, "a", 2.0)))
    assert pairs(file.read()) == [(7, "a", 2.0)]


def test_a_file_overwritten_by_one_as_long_or_longer_is_recognised(tmp_path):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(record(scalar_event(1, "a", 1.0, time=1.0)))
    file.read()
    file.path.write_bytes(record(scalar_event(7, "a", 2.0, time=2.0)))
    os.utime(file.path, ns=(1, 1))
    assert pairs(file.read()) == [(7, "a", 2.0)]
    longer = record(scalar_event(300, "abc", 3.0, time=3.0)) + record(scalar_event(400, "a", 4.0))
    file.path.write_bytes(longer)
    assert pairs(file.read()) == [(300, "abc", 3.0), (400, "a", 4.0)]
    assert file.damage == []


def test_a_damaged_file_that_is_replaced_is_read_again(tmp_path):
    file = EventFile(tmp_path / NAME)
    file.path.write_bytes(b"x" * 100)
    assert (file.read(), len(file.damage)) == ([], 1)
    file.path.unlink()
    assert file.read() == []
    other = tmp_path / "other"
    other.write_bytes(record(scalar_event(7, "a", 2.0)) * 10)
    other.replace(file.path)
    assert len(file.read()) == 10


def test_a_file_that_is_not_there_is_waited_for(tmp_path):
    file = EventFile(tmp_path / NAME)
    assert (file.read(), file.damage, file.cut_off) == ([], [], False)


def test_a_file_that_cannot_be_opened_is_said_once_and_read_when_it_can_be(tmp_path):
    file = EventFile(tmp_path / "a file" / NAME)
    (tmp_path / "a file").write_text("")  # a file where a folder should be
    assert (file.read(), file.read(), len(file.damage)) == ([], [], 1)
    assert "cannot be read" in file.damage[0].reason
    (tmp_path / "a file").unlink()
    (tmp_path / "a file").mkdir()
    file.path.write_bytes(record(scalar_event(7, "a", 2.0)))
    assert pairs(file.read()) == [(7, "a", 2.0)]


def test_a_record_that_is_no_event_is_damage(tmp_path):
    file = EventFile(Path(tmp_path / NAME))
    file.path.write_bytes(record(scalar_event(1, "a", 1.0)) + record(b"\x0b\x0c"))
    assert len(file.read()) == 1
    assert "not a message" in file.damage[0].reason


def test_a_file_cut_at_any_byte_gives_the_events_that_are_whole_and_the_rest_when_it_has_grown(tmp_path):
    write(tmp_path / "whole", event(1, rmse=1.0), event(2, rmse=2.0), event(3, rmse=3.0))
    data = (tmp_path / "whole").read_bytes()
    growing = tmp_path / "growing"
    for cut in range(len(data) + 1):
        growing.write_bytes(data[:cut])
        file = EventFile(growing)
        first = [e.step for e in file.read()]
        growing.write_bytes(data)
        assert first + [e.step for e in file.read()] == [1, 2, 3]
        assert file.damage == []


def test_a_damaged_byte_loses_what_is_behind_it_and_is_said_once(tmp_path):
    write(tmp_path / "whole", event(1, rmse=1.0), event(2, rmse=2.0), event(3, rmse=3.0))
    data = (tmp_path / "whole").read_bytes()
    for place in range(len(data)):
        damaged = tmp_path / "damaged"
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        file = EventFile(damaged)
        steps = [e.step for e in file.read()]
        assert len(file.damage) == 1
        assert len(steps) < 3
        assert steps == [1, 2, 3][: len(steps)]
        assert file.read() == []
        assert len(file.damage) == 1


def test_a_second_look_reads_only_what_was_appended(tmp_path):
    file = tmp_path / FILE
    write(file, *[event(step, rmse=1.0) for step in range(1000)])
    follower = Follower(tmp_path)
    assert len(follower.poll()) == 1000
    before = follower.bytes_read
    assert follower.poll() == []
    assert follower.bytes_read == before
    size = file.stat().st_size
    write(file, event(1000, rmse=2.0))
    assert [e.step for e in follower.poll()] == [1000]
    assert follower.bytes_read - before == file.stat().st_size - size


def test_whatever_the_bytes_of_a_file_reading_ends_in_bounded_memory(tmp_path):
    import random

    chance = random.Random(0)
    write(tmp_path / "whole", *[event(step, rmse=1.0) for step in range(5)])
    whole = (tmp_path / "whole").read_bytes()
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file = tmp_path / "any"
        file.write_bytes(bytes(data[: chance.randint(0, len(data))]))
        reader = EventFile(file)
        reader.read()
        assert reader.bytes_read <= len(data)
