"""Files of trials: when they are stored, and what if they cannot be."""

import json

from tests.recorders.mlflow.sending import OPENED, Made, read, trial, write
from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.records.record import SweepClosed


def test_a_trial_has_its_log_its_job_and_a_table_of_its_evaluations(sweep_dir, client):
    folder = sweep_dir.trial(0)
    folder.path.mkdir()
    folder.log_file.write_text("all that TensorFlow said\n")
    folder.job_file.write_text("{}")
    write(sweep_dir, [OPENED, *trial(0, [2.0, 1.0])])
    run_id = run_ids(sweep_dir)[0]
    assert {f.path for f in client.list_artifacts(run_id)} == {"evaluations.csv", "job.json", "log.txt"}
    table = (sweep_dir.root.artifacts_dir / run_id / "artifacts" / "evaluations.csv").read_text()
    assert table == "step,loss,rmse\n100,4.0,2.0\n200,1.0,1.0\n"


def test_a_sender_that_died_before_it_stored_files_stores_them_and_one_that_had_does_not(sweep_dir):
    log = [OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True)]
    made = []

    def files(folder, closing):
        made.append(closing)
        (folder / "trials.csv").write_text("")
        return Made()

    recorder = MlflowRecorder(sweep_dir, sweep_files=files)
    recorder.open()
    recorder.write(log)  # and died here
    for _ in range(2):
        recorder = MlflowRecorder(sweep_dir, sweep_files=files)
        recorder.open()
        recorder.recall(log)
        assert recorder.attach(closing=True) == ""
    assert made == [True]
    assert json.loads(sweep_dir.attached_file.read_text().splitlines()[0]) == {"trial": 0}


def test_files_that_cannot_be_stored_keep_no_record_waiting_and_are_given_up(sweep_dir, client):
    def files(folder, closing):
        raise OSError("no room for files")

    log = [OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True)]
    write(sweep_dir, log, sweep_files=files)
    parent = client.get_run(RunIds(sweep_dir.runs_file).parent)
    assert parent.data.tags["tuner.files"] == "could not be stored: no room for files"
    assert parent.info.status == "FINISHED"
    assert read(sweep_dir).metrics["objective"] == {100: 1.0}
