"""Data sets, and pictures that hold back no record."""

import json
from dataclasses import replace

from tests.recorders.mlflow.sending import OPENED, read, trial, write
from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.sender import Sender
from tuner.records.log import RecordLog
from tuner.records.record import SweepClosed


def test_what_a_trials_process_said_of_its_data_becomes_a_dataset_of_trial_and_sweep(sweep_dir, client):
    folder = sweep_dir.trial(0)
    folder.path.mkdir()
    data = {"name": "houses", "digest": "abc", "source_type": "local", "source": {"uri": "/x"}, "schema": None}
    folder.dataset_file.write_text(json.dumps([{**data, "profile": {"rows": 3}, "context": "training"}]))
    write(sweep_dir, [OPENED, *trial(0, [1.0])])
    write(sweep_dir, [OPENED, *trial(0, [1.0])])
    for run_id in (RunIds(sweep_dir.runs_file).parent, run_ids(sweep_dir)[0]):
        (found,) = client.get_run(run_id).inputs.dataset_inputs
        assert (found.dataset.name, found.dataset.digest) == ("houses", "abc")
        assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


class Drawing:
    """Files that are made until somebody says that they are there."""

    def __init__(self):
        self.made, self.stopped, self.is_done, self.importance = [], 0, False, {}

    def __call__(self, folder, closing):
        self.made.append(closing)
        (folder / "trials.csv").write_text("")
        return self

    def done(self):
        return self.is_done

    def stop(self):
        self.stopped += 1


def test_pictures_hold_back_no_record_and_what_is_waited_for_is_said(sweep_dir, client, capsys):
    drawing = Drawing()
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True))
    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=client, sweep_files=drawing))
    assert not sender.step(closing=True)
    assert sender.pause_s < 1
    log.append(replace(OPENED, time=OPENED.time + 101), *trial(1, [2.0]), SweepClosed(1_700_000_200.0, True))
    assert not sender.step(closing=True)
    assert read(sweep_dir, 1).metrics["objective"] == {100: 2.0}
    waits = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in waits if line["event"] == "waits"] == ["its plots are being drawn"]
    drawing.is_done = True
    assert sender.step(closing=True)
    assert {file.path for file in client.list_artifacts(RunIds(sweep_dir.runs_file).parent)} >= {"trials.csv"}
    assert list(sweep_dir.path.glob(".files-*")) == []
    sender.close()


def test_a_recorder_that_ends_while_files_are_made_gives_them_up_and_the_next_makes_them(sweep_dir, client):
    drawing = Drawing()
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True))
    for _ in range(2):
        sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=client, sweep_files=drawing))
        sender.step(closing=True)
        sender.close()
    assert (drawing.made, drawing.stopped) == ([True, True], 2)
    assert list(sweep_dir.path.glob(".files-*")) == []
