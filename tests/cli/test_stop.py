"""``tuner stop`` of a sweep."""

import subprocess
import sys
import time

import pytest

from tests.cli.command import call, tuner
from tuner.files.driver_lock import DriverLock
from tuner.files.paths import Root


def test_a_sweep_that_has_only_begun_can_be_stopped_and_a_folder_that_is_not_there_holds_no_sweeps(tmp_path):
    sweep_dir = Root(tmp_path).sweep("begins")
    sweep_dir.path.mkdir(parents=True)
    assert "no sweep 'begins'" in call("stop", "begins", "--root", tmp_path).output
    with DriverLock(sweep_dir.driver_file):
        assert "asked process" in call("stop", "begins", "--root", tmp_path).output
    assert sweep_dir.stop_file.exists()
    assert "there is no folder" in call("list", "--root", tmp_path / "none").output


@pytest.mark.slow
def test_stop_asks_a_running_sweep_to_stop_and_a_second_driver_is_refused(space_file, root):
    parameters = "learning_rate: 0.01\nsleep: 0.05"
    file = space_file(parameters, train="{max_steps: 4000, evaluate_every: 20}")
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = root / "mlruns/sweeps/tiny/curves.jsonl"
    while not (journal.exists() and '"evaluation"' in journal.read_text()):
        time.sleep(0.1)
    second = tuner("run", file, "--root", root)
    assert second.returncode == 2
    assert f"is being worked on by process {driver.pid}" in second.stderr
    assert tuner("stop", "tiny", "--root", root).returncode == 0
    driver.communicate(timeout=60)
    assert driver.returncode == 130
    nothing = tuner("stop", "tiny", "--root", root)
    assert nothing.returncode == 2
    assert "is not running" in nothing.stderr
