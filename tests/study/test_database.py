"""What ``--storage`` takes, and whoever waits for the lock of a study there."""

import fcntl
import signal
import subprocess
import sys
import time
import zlib
from contextlib import contextmanager

import pytest
import sqlalchemy

import tuner
from tests.services.postgres import postgres
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput, StoreError
from tuner.study import database
from tuner.study.database import StudyLock, database_url
from tuner.study.reconnection import Reconnection
from tuner.sweep import RunOptions


def test_a_file_that_is_named_from_the_current_folder_is_the_same_from_any_other(tmp_path, monkeypatch):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    monkeypatch.chdir(tmp_path)
    sweep = tuner.Sweep.from_file("sim.yaml", tmp_path, storage_url="sqlite:///study.db")
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(tuner.Sweep.open("sim", tmp_path).result().trials) == len(sweep.result().trials) > 0
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "mysql://host/db", "sqlite:////tmp/study.db"])
def test_others_are_taken_as_they_are(url):
    assert database_url(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "is a database in memory"),
        ("sqlite:///:memory:", "is a database in memory"),
        ("nonsense", "is no database URL"),
    ],
)
def test_what_no_other_process_could_open_is_refused(url, said, tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    with pytest.raises(InvalidInput, match=said):
        tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path, storage_url=url)


@contextmanager
def locked(file):
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def study_lock(tmp_path, asked, lines):
    reconnection = Reconnection("mine", lines.append, asked)
    return StudyLock(f"sqlite:///{tmp_path}/study.db", "mine", tmp_path / "unused", reconnection)


def test_whoever_waits_for_another_driver_and_asks_twice_is_answered_within_half_a_second(tmp_path, monkeypatch):
    lines, waits = [], []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: waits.append(seconds) or sleep(seconds))
    with locked(tmp_path / "study.db.lock"):
        with pytest.raises(StoreError, match="stopped while another driver held the lock"):  # noqa: SIM117
            with study_lock(tmp_path, lambda: 2, lines).held():
                pass
        assert sum(waits) < 0.5  # whatever a busy machine adds
    assert len(lines) == 1 and lines[0].startswith("stopping: another driver held the lock of its study; waiting 30 s")


def test_it_is_said_once_that_another_driver_holds_the_lock_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_LONG_S", 0.1)
    lines = []
    with locked(tmp_path / "study.db.lock"), pytest.raises(StoreError):  # noqa: SIM117
        with study_lock(tmp_path, lambda: 2 if lines else 0, lines).held():
            pass
    assert lines[0] == "another driver has held the study's lock for half a minute: does it hang?"
    assert sum("half a minute" in line for line in lines) == 1


def test_ctrl_c_before_a_sweep_has_begun_ends_it_while_another_driver_holds_the_lock(tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    with locked(tmp_path / "study.db.lock"):
        command = [sys.executable, "-m", "tuner", "run", "sim.yaml", "--backend", "simulated", "--no-export"]
        driver = subprocess.Popen([*command, "--storage", "sqlite:///study.db"], cwd=tmp_path, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (tmp_path / "mlruns/sweeps/sim").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        asked = time.monotonic()
        driver.send_signal(signal.SIGINT)
        _, errors = driver.communicate(timeout=60)
        lines = [line for line in errors.decode().splitlines() if line != "stopping"]  # said if it takes a moment
        assert (driver.returncode, lines) == (130, ["tuner: interrupted"])
        assert time.monotonic() - asked < 15  # not the 30 s for which a driver at work is waited


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_stopped_twice_while_it_waits_for_the_lock_ends_as_one_that_was_stopped(tmp_path, signum):
    (tmp_path / "sim.yaml").write_text(SIMULATED.replace("trials: 2", "trials: 100000"))
    command = [sys.executable, "-m", "tuner", "run", "sim.yaml", "--backend", "simulated", "--no-export"]
    log = tmp_path / "mlruns/sweeps/sim/curves.jsonl"
    said = tmp_path / "said"
    with said.open("w") as stream:
        driver = subprocess.Popen(
            [*command, "--storage", "sqlite:///study.db"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=stream
        )
        until(driver, lambda: log.exists() and b'"evaluation"' in log.read_bytes())
        with locked(tmp_path / "study.db.lock"):
            driver.send_signal(signum)
            until(driver, lambda: "stopping: another driver held the lock" in said.read_text())
            driver.send_signal(signum)
            assert driver.wait(timeout=60) == 128 + signum
    assert "tuner: the sweep was stopped while another driver held the lock of its study" in said.read_text()


def until(driver, holds):
    """Wait until something holds, while a driver is at work."""
    deadline = time.monotonic() + 120
    while not holds():
        assert driver.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize("library", ["psycopg", "psycopg2"])
def test_a_signal_is_heard_while_another_driver_holds_the_lock_on_a_server(tmp_path, library):
    pytest.importorskip(library)
    with postgres() as server:
        url = f"postgresql+{library}://{server.partition('://')[2]}"
        reconnection = Reconnection("mine")
        study_lock = StudyLock(url, "mine", tmp_path / "study.lock", reconnection)
        with study_lock.held():
            pass  # it is free
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            key = zlib.crc32(b"tuner:mine")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({key})")
            before = signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            began = time.monotonic()
            try:
                with pytest.raises(KeyboardInterrupt):  # noqa: SIM117
                    with study_lock.held():
                        pass
                assert 0.9 < time.monotonic() - began < 15
            finally:
                signal.signal(signal.SIGALRM, before)
        with study_lock.held():
            pass  # it is free again
        engine.dispose()
