"""The sender on logs that lost power or a full disk left, with a recorder that keeps what it is given."""

import json
import time

import pytest

from tuner.files.paths import Root
from tuner.recorders import process as processes
from tuner.recorders.mlflow.reader import is_fully_recorded
from tuner.recorders.process import RecorderProcess
from tuner.recorders.sender import Sender
from tuner.records.log import RecordLog, begin_of_line, last_record, read_records, read_sent_offset, write_sent_offset
from tuner.records.record import to_json
from tuner.testing.recorder_contract import records


class Keeps:
    """A recorder that keeps what it is told."""

    def __init__(self):
        self.recalled, self.written = [], []

    def open(self):
        pass

    def recall(self, records):
        self.recalled += records

    def write(self, records):
        self.written += records

    def attach(self, closing):
        return ""

    def close(self):
        pass


@pytest.fixture
def sweep_dir(tmp_path):
    folder = Root(tmp_path).sweep("sweep")
    folder.path.mkdir(parents=True)
    return folder


def written(sweep_dir, *found):
    log = RecordLog(sweep_dir.records_file)
    log.append(*found)
    log.close()


def sent(sweep_dir, times=1):
    """Send what there is; return what arrived."""
    recorder = Keeps()
    sender = Sender(sweep_dir, lambda: recorder)
    for _ in range(times):
        assert sender.step()
    return recorder


def as_text(found):
    return [to_json(record) for record in found]


@pytest.mark.parametrize("torn", [0, 7])
def test_a_log_that_lost_its_end_with_the_power_is_sent_from_its_end_on(sweep_dir, torn):
    whole = records()
    written(sweep_dir, *whole[:6])
    sent(sweep_dir)
    lines = sweep_dir.records_file.read_bytes().splitlines(keepends=True)
    sweep_dir.records_file.write_bytes(b"".join(lines[:4]) + lines[4][:torn])
    recorder = Keeps()
    sender = Sender(sweep_dir, lambda: recorder)  # looks before the driver appends
    assert read_sent_offset(sweep_dir.sent_file) == len(b"".join(lines[:4]))
    written(sweep_dir, *whole[4:])
    assert sender.step()
    assert as_text(recorder.recalled) == as_text(whole[:4])
    assert as_text(recorder.written) == as_text(whole[4:])


def test_an_offset_within_a_line_that_was_written_since_has_everything_sent_again(sweep_dir):
    whole = records()
    written(sweep_dir, *whole)
    write_sent_offset(sweep_dir.sent_file, sweep_dir.records_file.read_bytes().index(b"\n") + 9)
    assert as_text(sent(sweep_dir).written) == as_text(whole)
    assert read_sent_offset(sweep_dir.sent_file) == sweep_dir.records_file.stat().st_size


def test_only_where_a_line_begins_is_one_gone_on_from(tmp_path):
    file = tmp_path / "log"
    assert begin_of_line(file, 5) == 0
    file.write_bytes(b"one\ntwo\nthr")
    assert [begin_of_line(file, offset) for offset in (0, 3, 4, 5, 8, 11, 12, 99)] == [0, 0, 4, 0, 8, 0, 8, 8]


def test_a_log_that_lost_its_end_has_not_arrived(sweep_dir):
    whole = records()
    written(sweep_dir, *whole)
    sent(sweep_dir)
    closed = whole[-1]
    assert is_fully_recorded(sweep_dir, "http://store", set(), closed, has_files=False)
    write_sent_offset(sweep_dir.sent_file, sweep_dir.records_file.stat().st_size + 20)
    assert not is_fully_recorded(sweep_dir, "http://store", set(), closed, has_files=False)


SPOILED = {
    "a part": lambda line: (line[:25] + b"\n", 0),
    "zeros": lambda line: (b"\0" * 30 + b"\n", 0),
    "another tool's": lambda line: (b'{"record": "moon"}\n', 0),
    "half a record": lambda line: (b'{"record":"evaluation","trial":1}\n', 0),
    "no text": lambda line: (b"\xff\xfe\n", 0),
    "a part and the next": lambda line: (line[:25] + line, 1),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_line_that_is_no_record_is_passed_over_and_said_once_with_its_number(sweep_dir, kind, capsys):
    whole = records()
    line = to_json(whole[3]).encode() + b"\n"
    spoiled, kept = SPOILED[kind](line)
    written(sweep_dir, *whole[:3])
    with sweep_dir.records_file.open("ab") as stream:
        stream.write(spoiled)
    last = last_record(sweep_dir.records_file)
    assert as_text([last] if last else []) == as_text(whole[3 : 3 + kept])
    assert as_text(sent(sweep_dir, times=2).written) == as_text(whole[: 3 + kept])
    assert read_sent_offset(sweep_dir.sent_file) == sweep_dir.records_file.stat().st_size
    written(sweep_dir, *whole[4:])
    assert as_text(sent(sweep_dir).written) == as_text(whole[4:])  # the next sender says it not again
    notes = [
        said["message"] for said in map(json.loads, capsys.readouterr().out.splitlines()) if said["event"] == "note"
    ]
    assert len(notes) == 1
    assert notes[0].startswith(f"{sweep_dir.records_file}, line 4, byte ")
    assert ("the first of the two records in it is not sent" in notes[0]) == bool(kept)
    found = [record for record, _ in read_records(sweep_dir.records_file)]
    assert as_text(found) == as_text([*whole[: 3 + kept], *whole[4:]])


def test_a_record_at_which_the_recorder_fails_is_said_and_those_behind_it_are_sent(sweep_dir, capsys):
    class Chokes(Keeps):
        def write(self, found):
            if any(to_json(record) == to_json(whole[7]) for record in found):
                raise TypeError("no number")
            super().write(found)

    whole = records()
    written(sweep_dir, *whole)
    recorder = Chokes()
    assert Sender(sweep_dir, lambda: recorder).step()
    assert as_text(recorder.written) == as_text([*whole[:7], *whole[8:]])
    assert "a record cannot be sent to MLflow (TypeError: no number)" in capsys.readouterr().out


@pytest.mark.slow
def test_what_the_sender_finds_in_the_log_is_said_once_by_the_driver(root, tmp_path):
    sweep_dir = Root(root).sweep("sweep")
    sweep_dir.path.mkdir(parents=True)
    written(sweep_dir, *records()[:3])
    with sweep_dir.records_file.open("ab") as stream:
        stream.write(b"moon\n")
    process = RecorderProcess(sweep_dir, None, tmp_path / "log")
    process.start()
    assert process.drain(120)
    process.close()
    assert "curves.jsonl, line 4, byte " in process.check()
    assert process.check() == ""


def test_a_process_that_dies_again_and_again_without_sending_is_started_a_few_times_and_then_said(
    sweep_dir, tmp_path, monkeypatch
):
    monkeypatch.setattr(processes, "_PROGRAM", "tests.recorders.dying")
    sweep_dir.path.mkdir(parents=True, exist_ok=True)
    sweep_dir.records_file.write_text("what waits\n")
    process = RecorderProcess(sweep_dir, None, tmp_path / "log")
    started = []
    start = process.start
    monkeypatch.setattr(process, "start", lambda: (started.append(1), start()))
    process.start()
    said = []
    while not said:
        said += [line] if (line := process.check()) else []
        time.sleep(0.01)
    assert "MLflow takes no records: the process that sends to MLflow died 6 times before it had sent anything" in said
    assert len(started) == 6
    assert process.check() == ""
    process.close()


def test_a_process_that_dies_when_all_was_sent_is_started_again_as_often_as_that_happens(
    sweep_dir, tmp_path, monkeypatch
):
    monkeypatch.setattr(processes, "_PROGRAM", "tests.recorders.dying")
    sweep_dir.path.mkdir(parents=True, exist_ok=True)
    process = RecorderProcess(sweep_dir, None, tmp_path / "log")
    started = []
    start = process.start
    monkeypatch.setattr(process, "start", lambda: (started.append(1), start()))
    process.start()
    while len(started) < 9:
        assert process.check() == ""
        time.sleep(0.01)
    process.close()
