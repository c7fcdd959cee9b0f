"""The MLflow recorder on a real SQLite store, against the suite that ships."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.reader import MlflowReader, _with_histories
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.process import RecorderProcess
from tuner.records.log import RecordLog, read_sent_offset
from tuner.testing.recorder_contract import OPENED, RecorderContract, records


class TestMlflow(RecorderContract):
    @pytest.fixture
    def make(self, sweep_dir):
        self.sweep_dir = sweep_dir
        return lambda: MlflowRecorder(sweep_dir)

    def read(self, trial):
        return MlflowReader(self.sweep_dir).read(run_ids(self.sweep_dir)[trial])

    def count(self):
        found = MlflowReader(self.sweep_dir).runs_of_trials(OPENED.sweep_id)
        assert all(len(runs) == 1 for runs in found.values())
        return len(found)

    def test_a_run_is_found_by_its_tags_when_its_id_was_not_written_down(self, make, sweep_dir):
        self._write(make, [records()])
        before = run_ids(sweep_dir)
        sweep_dir.runs_file.unlink()
        self._write(make, [records()])
        assert run_ids(sweep_dir) == before
        self._check()

    def test_a_deleted_experiment_of_the_same_name_is_restored(self, make, sweep_dir):
        import mlflow

        self._write(make, [records()])
        client = mlflow.MlflowClient(f"sqlite:///{sweep_dir.root.database_file}")
        client.delete_experiment(client.get_experiment_by_name("sweep").experiment_id)
        self._write(make, [records()])
        assert client.get_experiment_by_name("sweep").lifecycle_stage == "active"

    def test_the_parent_holds_the_best_and_the_space_and_children_point_to_it(self, make, sweep_dir):
        import mlflow

        self._write(make, [records()])
        client = mlflow.MlflowClient(f"sqlite:///{sweep_dir.root.database_file}")
        parent = RunIds(sweep_dir.runs_file).parent
        run = client.get_run(parent)
        assert run.data.tags["tuner.best_trial"] == "0"
        assert run.data.metrics["best_objective"] == 1.0 / 30
        assert "Best so far" in run.data.tags["mlflow.note.content"]
        assert [a.path for a in client.list_artifacts(parent)] == ["search_space.yaml"]
        assert self.read(1).tags["mlflow.parentRunId"] == parent
        reader = MlflowReader(sweep_dir)
        parents, whole = reader.whole_runs(OPENED.sweep_id)
        assert parents == reader.runs(OPENED.sweep_id)[0]
        assert repr(whole) == repr({trial: [self.read(trial)] for trial in (0, 1)})

    def test_runs_read_together_are_what_they_are_alone_by_as_many_questions_for_two_as_for_one(self, make, sweep_dir):
        from sqlalchemy import Engine, event

        self._write(make, [records()])
        ids, asked = run_ids(sweep_dir), []
        event.listen(Engine, "before_cursor_execute", count := lambda *_: asked.append(1))
        try:
            with MlflowReader(sweep_dir)._asked() as client:
                runs = [client.get_run(ids[trial]) for trial in (0, 1)]
                asked.clear()
                _with_histories(client, runs[:1])
                one = len(asked)
                _with_histories(client, runs)
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert len(asked) == 2 * one > 0


def test_the_tags_of_a_sweep_that_was_made_when_any_were_allowed_are_recorded(sweep_dir):
    recorder = MlflowRecorder(sweep_dir)
    recorder.open()
    tags = {"a@b": "1", "long": "x" * 9000}
    recorder.write([replace(record, tags=tags) if record is OPENED else record for record in records()])
    for run in (RunIds(sweep_dir.runs_file).parent, run_ids(sweep_dir)[0]):
        found = MlflowReader(sweep_dir).read(run)
        assert found.tags["a_b"] == "1"
        assert found.tags["long"] == "x" * 6000


@pytest.mark.slow
def test_a_sender_killed_again_and_again_sends_everything_once(sweep_dir, tmp_path):
    log = RecordLog(sweep_dir.records_file)
    process = RecorderProcess(sweep_dir, None, tmp_path / "log")
    process.start()
    process.wait_ready()
    for index, record in enumerate(records()):
        log.append(record)
        if index % 3 == 0:
            time.sleep(0.2)
            os.kill(process._process.pid, signal.SIGKILL)
            process._process.wait()
            process.check()
    assert process.drain(60)
    process.close()
    checks = TestMlflow()
    checks.sweep_dir = sweep_dir
    checks._check()


@pytest.mark.slow
def test_a_signal_to_all_processes_leaves_the_end_of_the_sender_to_the_driver(sweep_dir, tmp_path):
    log = RecordLog(sweep_dir.records_file)
    process = RecorderProcess(sweep_dir, None, tmp_path / "log")
    process.start()
    sender = process._process
    sender.terminate()  # while it starts
    process.wait_ready()
    log.append(*records()[:4])
    sender.terminate()
    assert process.drain(60)
    log.append(*records()[4:])
    sender.terminate()
    process.close()
    assert sender.returncode == 0
    assert read_sent_offset(sweep_dir.sent_file) == sweep_dir.records_file.stat().st_size


@pytest.mark.slow
def test_a_server_that_goes_away_and_comes_back_gets_everything_once(sweep_dir, tmp_path):
    server = Server(tmp_path / "server")
    server.start()
    log = RecordLog(sweep_dir.records_file)
    process = RecorderProcess(sweep_dir, server.uri, tmp_path / "log")
    process.start()
    process.wait_ready()
    log.append(*records()[:4])
    assert process.drain(60)
    server.stop()
    log.append(*records()[4:])
    assert not process.drain(20)
    assert "bytes of records wait" in process.status()
    server.start()
    assert process.drain(90)
    process.close()
    recorded = MlflowReader(sweep_dir, server.uri)
    runs = recorded.runs_of_trials(OPENED.sweep_id)
    assert {trial: len(found) for trial, found in runs.items()} == {0: 1, 1: 1}
    whole = recorded.read(runs[1][0])
    assert whole.metrics["eval/rmse"] == {s: 1.0 / s + 1 for s in (10, 20, 30)}
    assert repr(recorded.whole_runs(OPENED.sweep_id)[1][1]) == repr([whole])
    server.stop()


class Server:
    """A real ``mlflow server`` on loopback."""

    def __init__(self, folder):
        import socket

        folder.mkdir()
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process = None

    def start(self):
        import urllib.request

        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self._folder}/server.db"]
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        log = (self._folder / "log").open("a")
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, env=env, cwd=self._folder, start_new_session=True
        )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=1).read()
            except OSError:
                time.sleep(0.3)
            else:
                return
        raise AssertionError((self._folder / "log").read_text()[-2000:])

    def stop(self):
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
