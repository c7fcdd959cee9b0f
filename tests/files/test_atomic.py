"""Lines stand whole or not at all, also on a disk that takes a part of a write without a word."""

import errno
from io import FileIO

import pytest

from tuner.files.atomic import append_lines
from tuner.records.log import RecordLog, read_records
from tuner.records.record import SweepClosed


class NearlyFull(FileIO):
    """A file on a disk with room for so many bytes more: a write takes what fits, and fails where nothing does."""

    def __init__(self, file, room):
        super().__init__(file, "ab")
        self.room = room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(bytes(data)[: self.room])
        self.room -= taken
        return taken


DATA = b'{"a": 1}\n{"b": 22}\n{"c": 333}\n'


@pytest.mark.parametrize("room", range(len(DATA) + 2))
def test_what_does_not_fit_leaves_whole_lines_and_is_an_error(tmp_path, room):
    file = tmp_path / "lines"
    file.write_bytes(b"before\n")
    with NearlyFull(file, room) as stream:
        if room >= len(DATA):
            append_lines(stream, DATA)
        else:
            with pytest.raises(OSError, match="No space left"):
                append_lines(stream, DATA)
    found = file.read_bytes()
    assert found.endswith(b"\n") and found == b"before\n" + DATA[: DATA.rfind(b"\n", 0, room) + 1]


def test_a_record_that_did_not_fit_does_not_spoil_the_next_one(tmp_path):
    log = RecordLog(tmp_path / "log")
    log._stream = NearlyFull(tmp_path / "log", 10)
    with pytest.raises(OSError, match="No space left"):
        log.append(SweepClosed(1.0, False, "first", None))
    log._stream.room = 1 << 20  # somebody made room
    log.append(SweepClosed(2.0, False, "second", None))
    log.close()
    assert [record.reason for record, _ in read_records(tmp_path / "log")] == ["second"]
