"""A process of the export that was forked from the fork server."""

import socket

import pytest

from tests.conftest import MODELS
from tests.export.trials import trial
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.errors import SweepError
from tuner.export import Choice, ExportProcesses, export, export_trial
from tuner.export.forked import Forked


def test_it_ends_when_its_end_of_the_socket_does_and_is_told_to_end_by_ours():
    ours, theirs = socket.socketpair()
    forked = Forked(ours)
    assert forked.poll() is None
    forked.stdin.write(b"make\n")
    assert theirs.recv(64) == b"make\n"
    forked.kill()
    assert theirs.recv(64) == b""
    theirs.close()
    assert forked.wait() == 0 == forked.poll()


def test_one_that_is_gone_is_no_standby_and_no_export(sweep_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHECKING", ("-c", "input()"))
    ours, theirs = socket.socketpair()
    processes = ExportProcesses(tmp_path, fork=lambda function, stage: ours)
    assert processes.are_alive
    theirs.close()
    assert not processes.are_alive
    found = trial(sweep_dir, {10: 1.0}, [10])
    Job(3, 1, {}, 1, TrainSettings(10, 10), ModelRef(file=str(MODELS / "served.py"))).write(sweep_dir.trial(3).job_file)
    with pytest.raises(SweepError, match="exports ended, expected an export"):
        export_trial(sweep_dir, None, found, Choice(10, 1.0), tmp_path, processes=processes)
