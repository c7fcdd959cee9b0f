"""How much of the record log has arrived, as a file says it."""

import pytest

from tuner.files.sent_offset import read_offset, write_offset


def test_an_offset_is_read_as_it_was_written_and_nothing_lies_beside(tmp_path):
    file = tmp_path / "curves.sent"
    write_offset(file, 12)
    write_offset(file, 4096)
    assert read_offset(file) == 4096
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.sent"]


@pytest.mark.parametrize("text", [None, "", "twelve", "\x00\x00"])
def test_what_is_no_number_has_everything_sent_again(tmp_path, text):
    file = tmp_path / "curves.sent"
    if text is not None:
        file.write_text(text)
    assert read_offset(file) == 0
