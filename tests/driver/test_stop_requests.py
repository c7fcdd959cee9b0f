"""``tuner stop``: who is asked, and for how long."""

import json
import os
import signal
import socket
import threading
import time
from contextlib import suppress

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.backends import Ended, Started
from tuner.backends.simulated.backend import SimulatedBackend
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_requests import StoppedAtStart, StopRequests, request_stop
from tuner.files.paths import Root
from tuner.study.reading import read_study
from tuner.sweep import RunOptions


@pytest.fixture
def file(tmp_path):
    return tmp_path / "stop.request"


def test_all_drivers_that_are_at_work_are_asked_and_stay_asked(file):
    drivers = [StopRequests(file), StopRequests(file)]
    assert [driver.asked for driver in drivers] == [False, False]
    request_stop(file)
    first, second = drivers
    assert first.asked
    with first.listening():
        pass  # it leaves
    assert second.asked
    file.unlink()
    assert second.asked


def test_a_driver_that_joins_later_is_not_asked_and_takes_nothing_from_those_that_were(file):
    before = StopRequests(file)
    request_stop(file)
    later = StopRequests(file)
    assert before.asked
    assert not later.asked
    request_stop(file)
    assert later.asked


def test_whoever_finds_a_sweep_locked_and_asks_is_heard(tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    session = sweep.session(RunOptions(backend="simulated"), NullDisplay())
    joined = session._join_drivers

    def join_and_be_asked():
        joined()
        request_stop(sweep.dir.stop_file)

    session._join_drivers = join_and_be_asked
    ran = session.run()
    assert ran.end is None
    assert ran.exit_status == 130
    assert sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().end is not None


def test_a_request_that_is_there_from_before_stops_nobody(tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    stop_file = Root(tmp_path).sweep("sim").stop_file
    stop_file.parent.mkdir(parents=True)
    request_stop(stop_file)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    assert sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().end is not None


def left_by_a_killed_driver(folder):
    """Return a sweep whose driver was killed after 300 s of work, and when that driver had begun."""
    (folder / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(folder / "sim.yaml", folder)
    sweep.dir.path.mkdir(parents=True)
    began = time.time() - 500
    sweep.dir.driver_file.write_text(json.dumps({"pid": 1, "host": socket.gethostname(), "time": began}))
    os.utime(sweep.dir.driver_file, (began + 300, began + 300))
    return sweep, began


def test_the_running_time_of_a_driver_that_was_killed_counts(tmp_path):
    sweep, _ = left_by_a_killed_driver(tmp_path)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    before = read_study(sweep.dir, sweep.spec).seconds
    assert before >= 300
    sweep.session(RunOptions(trials=3, backend="simulated"), NullDisplay()).run()
    assert before < read_study(sweep.dir, sweep.spec).seconds < before + 300  # which had been noted


def test_a_driver_that_was_refused_before_it_had_opened_the_study_has_spent_no_time(tmp_path, monkeypatch):
    sweep, began = left_by_a_killed_driver(tmp_path)
    session = sweep.session(RunOptions(backend="simulated"), NullDisplay())
    monkeypatch.setattr(session, "_open_study", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.run()
    os.utime(sweep.dir.driver_file, (began + 400, began + 400))
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    assert 300 <= read_study(sweep.dir, sweep.spec).seconds < 350  # of the one before it, which was killed


def test_the_running_time_of_a_driver_that_failed_after_it_had_opened_the_study_counts(tmp_path):
    class Fails(NullDisplay):
        def line(self, line):
            if line.startswith("trial 0: COMPLETE"):
                raise RuntimeError(line)

    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    with pytest.raises(RuntimeError):
        sweep.session(RunOptions(backend="simulated"), Fails()).run()
    left = json.loads(sweep.dir.driver_file.read_text())
    alive = sweep.dir.driver_file.stat().st_mtime
    sweep.dir.driver_file.write_text(json.dumps({**left, "time": alive - 300}))
    os.utime(sweep.dir.driver_file, (alive, alive))
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    assert read_study(sweep.dir, sweep.spec).seconds >= 300


def test_the_end_of_its_terminal_is_a_request_and_under_nohup_it_is_none(file):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        stopping = StopRequests(file)
        with stopping.listening():
            signal.raise_signal(signal.SIGHUP)
        assert stopping.asked
        assert stopping.exit_status == 129
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        ignoring = StopRequests(file)
        with ignoring.listening():
            signal.raise_signal(signal.SIGHUP)
        assert not ignoring.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_trials_that_a_signal_ended_together_with_the_driver_were_interrupted(tmp_path, monkeypatch):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    wait = SimulatedBackend.wait

    def wait_and_be_killed(backend, timeout_s):
        messages = wait(backend, timeout_s)
        started = [message for message in messages if isinstance(message, Started)]
        if not started or sweep.dir.stop_file.exists():
            return messages
        request_stop(sweep.dir.stop_file)
        killed = JobResult(JobStatus.FAILED, 1, None, "killed by SIGTERM", died=True)
        return [*messages, Ended(started[0].trial, killed)]

    monkeypatch.setattr(SimulatedBackend, "wait", wait_and_be_killed)
    ran = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    assert ran.end is None
    begun = {(t.state, t.record.reason) for t in ran.result.trials}
    assert begun == {(TrialState.INTERRUPTED, "the sweep was stopped")}
    assert {t.record.failures for t in ran.result.trials} == {0}


def test_a_signal_before_the_first_trial_ends_the_wait_at_once(file):
    stopping = StopRequests(file)
    with stopping.listening():
        with pytest.raises(StoppedAtStart) as stopped, stopping.giving_up():
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("went on")
        assert stopped.value.exit_status == 143
        with pytest.raises(StoppedAtStart), stopping.giving_up():  # it came before
            raise AssertionError("went on")
        signal.raise_signal(signal.SIGINT)  # later it is a request
    assert stopping.at_once


def test_a_signal_before_the_first_trial_is_heeded_though_an_import_swallowed_what_it_raised(file):
    stopping, went_on = StopRequests(file), []
    with stopping.listening(), pytest.raises(StoppedAtStart), stopping.giving_up():
        with suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        went_on.append(True)
        with pytest.raises(StoppedAtStart):
            stopping.requests()  # whoever waits asks
    assert went_on and stopping.requests() == 1


def test_a_signal_that_nobody_notices_is_answered_and_one_that_is_noticed_is_not(file):
    answered = threading.Event()
    with StopRequests(file).listening(lambda line: answered.set() if line == "stopping" else None):
        signal.raise_signal(signal.SIGINT)
        assert answered.wait(5)
    noticed, lines = StopRequests(file), []
    with noticed.listening(lines.append):
        signal.raise_signal(signal.SIGINT)
        assert noticed.asked
        for thread in threading.enumerate():
            if thread.daemon and thread.name.endswith("(_answer)"):
                thread.join()
    assert lines == []
