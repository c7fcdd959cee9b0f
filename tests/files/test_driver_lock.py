"""One driver at a time: who is refused, and whose lock is given up."""

import json
import os
import subprocess
import sys

import pytest

from tuner.errors import SweepLocked
from tuner.files.driver_lock import DriverLock, held, refusal


def test_a_second_driver_is_refused_with_pid_and_host_of_the_first(tmp_path):
    import socket

    file = tmp_path / "driver.lock"
    with DriverLock(file):
        assert held(file)
        with (
            pytest.raises(SweepLocked, match=f"process {os.getpid()} on {socket.gethostname()}"),
            DriverLock(file),
        ):
            pass
    assert not held(file)
    with DriverLock(file):
        pass


def test_those_who_look_whether_a_lock_is_held_see_neither_each_other_nor_keep_a_driver_out(tmp_path):
    import fcntl
    import threading

    file = tmp_path / "driver.lock"
    file.touch()
    with file.open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not held(file)
        threading.Timer(0.05, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        with DriverLock(file):
            assert held(file)


def test_looking_at_a_lock_that_is_not_there_makes_none(tmp_path):
    assert not held(tmp_path / "driver.lock")
    assert not list(tmp_path.iterdir())


def test_a_lock_whose_holder_was_killed_is_free(tmp_path):
    file = tmp_path / "driver.lock"
    code = f"from tuner.study import DriverLock; from pathlib import Path; import os\nDriverLock(Path({str(file)!r})).__enter__()\nos.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    assert json.loads(file.read_text())["pid"]
    with DriverLock(file):
        pass


def test_a_lock_of_another_host_is_respected_until_it_is_a_minute_old(tmp_path):
    file = tmp_path / "driver.lock"
    file.write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(SweepLocked, match="on elsewhere"), DriverLock(file):
        pass
    os.utime(file, (1, 1))
    with DriverLock(file):
        pass


def test_a_lock_of_another_host_is_as_old_as_the_file_system_says(tmp_path, monkeypatch):
    file = tmp_path / "driver.lock"
    file.write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    monkeypatch.setattr("time.time", lambda: file.stat().st_mtime + 3600)  # this machine's clock is wrong
    assert held(file)
    with pytest.raises(SweepLocked, match="on elsewhere"), DriverLock(file):
        pass


def test_one_driver_is_it_and_several_are_them():
    drivers = [{"pid": 7, "host": "a"}, {"pid": 8, "host": "b"}]
    assert str(refusal("demo", drivers[:1])).endswith("process 7 on a\n  wait for it, or stop it with: tuner stop demo")
    assert str(refusal("demo", drivers)).endswith("wait for them, or stop them with: tuner stop demo")
