"""The record log: cut off, repaired, followed."""

import pytest

from tests.files.full_disk import NearlyFull
from tuner.records.log import RecordLog, read_records
from tuner.records.record import SweepClosed
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
