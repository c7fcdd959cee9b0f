"""Lines stand whole or not at all, also on a disk that takes a part of a write without a word."""

import pytest

from tests.files.full_disk import NearlyFull
from tuner.files.atomic import append_lines

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
