"""Several drivers of one sweep, and which of them is the last."""

import json
import os
import socket
import time

import pytest

from tuner.driver.peers import SharedDrivers, SoleDriver
from tuner.files.paths import Root
from tuner.study.database import StudyLock
from tuner.study.reconnection import Reconnection


def test_of_drivers_that_stop_at_once_the_last_one_closes_the_sweep(tmp_path):
    sweep_dir = Root(tmp_path).sweep("shared")
    sweep_dir.path.mkdir(parents=True)
    lock = StudyLock(f"sqlite:///{tmp_path}/study.db", "shared", sweep_dir.study_lock_file, Reconnection())
    with SharedDrivers(sweep_dir, lock) as one, SharedDrivers(sweep_dir, lock) as other:
        assert not one.is_alone() and not other.is_alone()
        assert [one.leave(), other.leave()] == [False, True]
        assert not other.is_alive(one.name)
    assert SoleDriver().leave()


def test_the_time_of_several_drivers_is_that_in_which_any_was_at_work_and_did_not_note_it(tmp_path):
    sweep_dir = Root(tmp_path).sweep("shared")
    sweep_dir.path.mkdir(parents=True)
    lock = StudyLock(f"sqlite:///{tmp_path}/study.db", "shared", sweep_dir.study_lock_file, Reconnection())
    with SharedDrivers(sweep_dir, lock) as one:
        for name, began, alive in (("a", 1000.0, 1030.0), ("b", 1020.0, 1050.0), ("c", 1100.0, 1110.0)):  # all dead
            file = sweep_dir.driver(name)
            file.write_text(json.dumps({"pid": 1, "host": socket.gethostname(), "time": began}))
            os.utime(file, (alive, alive))
        assert one.unrecorded_s(0.0) == 60.0
        assert one.unrecorded_s(1040.0) == 20.0
        now = time.time()
        with SharedDrivers(sweep_dir, lock) as other:
            other.begin_work()
            assert one.unrecorded_s(now - 1) == pytest.approx(time.time() - now, abs=0.5)
            other.end_work()
            assert one.unrecorded_s(now - 1) == 0.0
        with pytest.raises(KeyError), SharedDrivers(sweep_dir, lock) as failed:
            failed.begin_work()
            time.sleep(0.1)
            raise KeyError
        assert 0.0 < one.unrecorded_s(now - 1) < 60.0
