"""Several drivers of one sweep, and which of them is the last."""

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
