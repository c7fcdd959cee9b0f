"""Lines of files that are appended to: whole ones, with their places."""

import pytest

from tuner.files.lines import read_lines


def test_whole_lines_have_number_and_offset_and_a_torn_last_one_is_left(tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_bytes(b'{"a": 1}\n\n{"b": "x\xe2\x80\xa8y\\r"}\r\n{"torn')
    found = list(read_lines(file))
    assert [(line.number, line.offset, line.data) for line in found] == [
        (1, 0, b'{"a": 1}'),
        (2, 9, b""),
        (3, 10, b'{"b": "x\xe2\x80\xa8y\\r"}\r'),
    ]
    assert found[2].mapping() == {"b": "x\u2028y\r"}


def test_there_are_no_lines_of_no_file(tmp_path):
    assert list(read_lines(tmp_path / "none")) == []


@pytest.mark.parametrize("data", [b"[1]", b"7", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_mapping_is_damage_that_is_said_with_its_place(tmp_path, data):
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"{}\n" + data + b"\n")
    line = list(read_lines(file))[1]
    assert line.mapping() is None
    said = str(line.damage("a record"))
    assert f"{file}, line 2, byte 3 is damaged: found" in said and "expected a record" in said
    assert len(said) < 400 + len(str(file))
