"""The backend that forks trials, against the suite that ships, and what a fork server does alone."""

import os
import signal
from pathlib import Path

import pytest

from tuner.backends import Ended, Started
from tuner.backends.gpus import GpuSlots
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput
from tuner.files.paths import TrialDir
from tuner.testing import tiny_model
from tuner.testing.backend_contract import BackendContract

pytestmark = pytest.mark.slow


FULL = """
import errno, os
from pathlib import Path

fork = os.fork

def fork_if_there_is_room():
    if Path({marker!r}).exists():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return fork()

os.fork = fork_if_there_is_room
"""


class TestLocal(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        return LocalBackend(self.model(), tmp_path / "server.log")

    def test_each_trial_is_a_process_of_its_own_and_starts_within_a_forks_time(self, opened, tmp_path):
        for trial in (0, 1):
            opened.start(self.job(trial), TrialDir(tmp_path / str(trial)))
        messages = self.until_ended(opened, 2)
        pids = {message.where for message in messages if hasattr(message, "where")}
        assert len(pids) == 2
        assert f"pid {os.getpid()}" not in pids

    def test_a_killed_server_loses_its_trials_and_another_takes_its_place(self, opened, tmp_path):
        opened.start(self.job(0, sleep=0.05), TrialDir(tmp_path / "0"))
        opened.wait(2.0)
        os.kill(opened.server_pid, signal.SIGKILL)
        (end,) = [m for m in self.until_ended(opened) if isinstance(m, Ended)]
        assert end.result.ending is JobStatus.LOST
        opened.start(self.job(0, attempt=2), TrialDir(tmp_path / "0"))
        (end,) = [m for m in self.until_ended(opened) if isinstance(m, Ended)]
        assert end.result.ending is JobStatus.FINISHED

    def test_a_function_runs_in_a_fork_that_hears_its_driver_and_outlives_the_server(self, opened, tmp_path):
        said = tmp_path / "said"
        code = f"import os, pathlib; pathlib.Path({str(said)!r}).write_bytes(os.read(0, 64))"
        with opened.fork_function("builtins:exec", code) as driver:
            opened.close()
            driver.sendall(b"go on")
            driver.settimeout(60)
            assert driver.recv(64) == b""
        assert said.read_bytes() == b"go on"

    def test_a_trial_whose_job_cannot_be_read_is_lost_and_the_others_go_on(self, opened, tmp_path, monkeypatch):
        opened.start(self.job(0, sleep=0.05), TrialDir(tmp_path / "0"))
        monkeypatch.setattr(Job, "write", lambda self, file: file.write_text("{"))
        opened.start(self.job(1), TrialDir(tmp_path / "1"))
        monkeypatch.undo()
        self.lost_one(opened, tmp_path, "its process cannot be started: ")

    def test_a_trial_for_which_the_machine_has_no_process_left_is_lost_and_the_others_go_on(self, tmp_path):
        file, full = tmp_path / "full.py", tmp_path / "no_process_left"
        file.write_text(Path(tiny_model.__file__).read_text() + FULL.format(marker=str(full)))
        backend = LocalBackend(ModelRef(file=str(file)), tmp_path / "server.log")
        backend.open()
        try:
            backend.start(self.job(0, sleep=0.05), TrialDir(tmp_path / "0"))
            while not any(isinstance(message, Started) for message in backend.wait(0.5)):
                pass
            full.touch()
            backend.start(self.job(1), TrialDir(tmp_path / "1"))
            self.lost_one(backend, tmp_path, "its process cannot be started: [Errno 11]")
        finally:
            backend.close()

    def test_a_signal_to_all_processes_leaves_the_end_of_the_server_to_the_driver(self, backend, tmp_path):
        backend.begin()
        pid = backend.server_pid
        os.kill(pid, signal.SIGTERM)  # while it starts
        backend.open()
        os.kill(pid, signal.SIGTERM)
        backend.start(self.job(0), TrialDir(tmp_path / "0"))
        assert self.until_ended(backend)[-1].result.ending is JobStatus.FINISHED
        assert backend.server_pid == pid
        server = backend._server
        backend.close()
        assert server.returncode == 0

    def lost_one(self, backend, folder, reason):
        """Expect trial 1 to be lost before trial 0 finishes, and a next attempt of it to begin."""
        lost, other = [m for m in self.until_ended(backend, 2) if isinstance(m, Ended)]
        assert (lost.trial, lost.result.ending, lost.result.attempt) == (1, JobStatus.LOST, 1)
        assert lost.result.reason.startswith(reason)
        assert (other.trial, other.result.ending) == (0, JobStatus.FINISHED)
        (folder / "no_process_left").unlink(missing_ok=True)
        backend.start(self.job(1, attempt=2), TrialDir(folder / "1"))
        assert self.until_ended(backend)[-1].result.ending is JobStatus.FINISHED


class TestLocalWithGpus:
    """Two devices that are only names: there need be no GPU."""

    job = BackendContract.job
    model = staticmethod(BackendContract.model)
    until_ended = BackendContract.until_ended

    def test_each_trial_sees_its_own_device_and_the_warm_parent_none_of_it(self, tmp_path):
        backend = LocalBackend(self.model(), tmp_path / "server.log", devices=GpuSlots(("0", "GPU-1"), 0.5))
        backend.open()
        try:
            for trial in range(4):
                backend.start(self.job(trial, fault="environment"), TrialDir(tmp_path / str(trial)))
            said = sorted(m.result.reason for m in self.until_ended(backend, 4) if isinstance(m, Ended))
            assert said == ["ValueError: 0 true"] * 2 + ["ValueError: GPU-1 true"] * 2
            backend.start(self.job(9), TrialDir(tmp_path / "9"))
            assert self.until_ended(backend)[-1].result.ending is JobStatus.FINISHED
        finally:
            backend.close()

    def test_a_model_that_asks_for_devices_when_it_is_imported_is_refused_where_trials_have_gpus(self, tmp_path):
        text = Path(tiny_model.__file__).read_text()
        file = tmp_path / "asks.py"
        file.write_text(f"{text}\nimport tensorflow as tf\ntf.config.list_physical_devices('GPU')\n")
        model = ModelRef(file=str(file))
        backend = LocalBackend(model, tmp_path / "server.log", devices=GpuSlots(("0",), 1))
        try:
            with pytest.raises(InvalidInput, match="asks TensorFlow for devices when it is imported"):
                backend.open()
        finally:
            backend.close()
        without = LocalBackend(model, tmp_path / "server.log")
        without.open()
        without.close()
