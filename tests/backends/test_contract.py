"""The backends that ship, against the suite that ships."""

import os
import signal

import pytest

from tuner.backends import Ended
from tuner.backends.inline import InlineBackend
from tuner.backends.local import LocalBackend
from tuner.jobs import Ending
from tuner.paths import TrialDir
from tuner.testing.backend_contract import BackendContract

pytestmark = pytest.mark.slow


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
        assert end.result.ending is Ending.LOST
        opened.start(self.job(0, life=2), TrialDir(tmp_path / "0"))
        (end,) = [m for m in self.until_ended(opened) if isinstance(m, Ended)]
        assert end.result.ending is Ending.FINISHED


class TestInline(BackendContract):
    can_kill = False

    @pytest.fixture
    def backend(self):
        return InlineBackend(self.model())
