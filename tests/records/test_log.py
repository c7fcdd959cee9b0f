"""The record log: cut off, repaired, followed; how much of it has arrived."""

import pytest

from tests.files.full_disk import NearlyFull
from tuner.domain.trial import TrialState
from tuner.records.log import (
    DamagedLine,
    RecordLog,
    begin_of_line,
    last_record,
    read_lines,
    read_records,
    read_sent_offset,
    write_sent_offset,
)
from tuner.records.record import SweepClosed, TrialChanged, TrialOpened, to_json
from tuner.testing.recorder_contract import records


def test_a_record_log_cut_at_any_byte_is_gone_on_with(tmp_path):
    file = tmp_path / "curves.jsonl"
    log = RecordLog(file)
    log.append(*records()[:4])
    log.close()
    whole = file.read_bytes()
    for cut in range(len(whole)):
        file.write_bytes(whole[:cut])
        log = RecordLog(file)
        log.append(records()[4])
        log.close()
        found = [record for record, _ in read_records(file)]
        assert len(found) == whole[:cut].count(b"\n") + 1
        assert repr(found[-1]) == repr(records()[4])


def test_a_record_that_did_not_fit_does_not_spoil_the_next_one(tmp_path):
    log = RecordLog(tmp_path / "log")
    log._stream = NearlyFull(tmp_path / "log", 10)
    with pytest.raises(OSError, match="No space left"):
        log.append(SweepClosed(1.0, False, "first", None))
    log._stream.room = 1 << 20  # somebody made room
    log.append(SweepClosed(2.0, False, "second", None))
    log.close()
    assert [record.reason for record, _ in read_records(tmp_path / "log")] == ["second"]


def opened(number):
    return TrialOpened(number, 1.0, {"rate": 0.5})


def test_a_line_that_became_one_with_the_record_behind_it_gives_that_record(tmp_path):
    file = tmp_path / "curves.jsonl"
    whole = to_json(opened(0))
    file.write_text(f'{{"record":"trial_op{whole}\nno record\n{to_json(opened(1))}\n')
    first, second, third = (held for held, _ in read_lines(file))
    assert isinstance(first, DamagedLine) and first.rest == opened(0)
    assert second == DamagedLine("no record", None)
    assert third == opened(1)
    assert [record for record, _ in read_records(file)] == [opened(0), opened(1)]


def test_one_goes_on_where_a_line_begins_and_behind_the_end_of_a_log_that_lost_it(tmp_path):
    file = tmp_path / "curves.jsonl"
    file.write_bytes(b"12345\n789\ntorn")
    assert [begin_of_line(file, offset) for offset in (6, 10, 3, 14, 99)] == [6, 10, 0, 0, 10]
    assert begin_of_line(tmp_path / "none", 6) == 0


def test_the_last_record_is_found_from_the_end_however_long_the_lines_are(tmp_path):
    file = tmp_path / "curves.jsonl"
    assert last_record(file) is None
    long = TrialOpened(1, 1.0, {"text": "x" * 10_000})
    file.write_text(f"{to_json(opened(0))}\n{to_json(long)}\ntorn")
    assert last_record(file) == long
    file.write_text(f"{to_json(long)}\nno record\n")
    assert last_record(file) is None


def test_the_disk_is_waited_for_when_it_is_said_where_something_stands(tmp_path):
    log = RecordLog(tmp_path / "curves.jsonl")
    log.append(opened(0))
    log.append(TrialChanged(0, 1.0, TrialState.RUNNING))
    assert log.syncs == 0  # the next driver would record these again
    log.append(TrialChanged(0, 2.0, TrialState.COMPLETE))
    assert log.syncs == 1
    log.close()


def test_an_offset_is_read_as_it_was_written_and_nothing_lies_beside(tmp_path):
    file = tmp_path / "curves.sent"
    write_sent_offset(file, 12)
    write_sent_offset(file, 4096)
    assert read_sent_offset(file) == 4096
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.sent"]


@pytest.mark.parametrize("text", [None, "", "twelve", "\x00\x00"])
def test_what_is_no_number_has_everything_sent_again(tmp_path, text):
    file = tmp_path / "curves.sent"
    if text is not None:
        file.write_text(text)
    assert read_sent_offset(file) == 0
