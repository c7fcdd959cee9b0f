"""What becomes of a sweep whose folder is taken away from it while it runs."""

import errno
import shutil
import subprocess

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.errors import StoreError


@pytest.fixture
def sweep(tmp_path):
    (tmp_path / "sim.yaml").write_text(
        SIMULATED.replace("trials: 2", "trials: 6").replace("record: false", "event_files: true, record: false")
    )
    return tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)


def run_and(sweep, what):
    """Run the sweep, and do something to its folder when trial 2 has ended."""
    sweep.run(backend="simulated", on_trial_end=lambda trial: what() if trial.number == 2 else None)


@pytest.mark.parametrize("what", ["folder", "content", "moved"])
def test_a_folder_that_is_deleted_or_moved_is_said_and_the_sweep_ends(sweep, what):
    folder = sweep.dir.path

    def take_away():
        if what == "moved":
            folder.rename(folder.with_name("moved"))
        else:
            shutil.rmtree(folder)
        if what == "content":
            folder.mkdir()

    with pytest.raises(StoreError, match=rf"{folder} was deleted or moved while the sweep ran") as raised:
        run_and(sweep, take_away)
    assert "tuner resume sim" in raised.value.hint
    if what == "moved":
        folder.with_name("moved").rename(folder)
        assert [trial.state.value for trial in sweep.run(backend="simulated").trials] == ["COMPLETE"] * 6


def test_a_folder_that_turns_immutable_is_said_and_what_was_recorded_is_there(sweep):
    folder = sweep.dir.trials_dir

    def change(flag):
        return subprocess.run(["chattr", flag, str(folder)], capture_output=True).returncode

    folder.mkdir(parents=True)
    if change("+i"):
        pytest.skip("immutable folders are not tested: run the tests as root, on a file system that has them")
    change("-i")
    try:
        with pytest.raises(StoreError, match=rf"cannot write to {folder}/0003: .* immutable") as raised:
            run_and(sweep, lambda: change("+i"))
        assert "nothing recorded is lost" in raised.value.hint
        assert [trial.state.value for trial in sweep.result().trials[:3]] == ["COMPLETE"] * 3
    finally:
        change("-i")
    assert [trial.state.value for trial in sweep.run(backend="simulated").trials] == ["COMPLETE"] * 6


def test_a_disk_that_does_not_answer_for_a_moment_is_no_folder_that_is_gone(tmp_path, monkeypatch):
    from tuner.driver.disk import FolderWatch

    def stale(_path):
        raise OSError(errno.ESTALE, "Stale file handle")

    watch = FolderWatch(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "stat", stale)
        assert not watch.is_gone
    tmp_path.rmdir()
    assert watch.is_gone
