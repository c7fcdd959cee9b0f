"""Whoever reads what a command writes leaves before its end."""

import fcntl
import json
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.command import tuner
from tests.spaces import SIMULATED
from tuner.files.driver_lock import DriverLock
from tuner.files.paths import Root

TUNER = [sys.executable, "-m", "tuner"]


def unread(*arguments, errors=subprocess.PIPE, cwd=None):
    """Run a command of which nobody reads the standard output; return its status and what it said as errors."""
    command = [*TUNER, *map(str, arguments)]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=cwd)
    driver.stdout.close()
    said = driver.communicate(timeout=60)[1]
    return driver.returncode, said


@pytest.mark.parametrize("errors", [subprocess.PIPE, subprocess.STDOUT], ids=["its results", "its lines, too"])
def test_a_sweep_goes_on_to_its_end_if_nobody_reads_it_any_more(tmp_path, errors):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    status, said = unread("run", "sim.yaml", "--backend", "simulated", errors=errors, cwd=tmp_path)
    assert status == 0
    assert said is None or said.endswith("tuner ui sim\n")
    shown = json.loads(tuner("show", "sim", "--format", "json", cwd=tmp_path).stdout)
    assert [trial["state"] for trial in shown] == ["COMPLETE"] * 2


@pytest.mark.parametrize("typed", ["show sim", "show sim --format json", "--help", "list --nothing"])
def test_the_status_of_a_command_that_nobody_reads_is_its_own_without_a_word_about_it(named, typed):
    read = tuner(*typed.split(), cwd=named)
    assert unread(*typed.split(), cwd=named) == (read.returncode, read.stderr)


def test_what_only_shows_ends_when_its_reader_has_left(named):
    sweep_dir = Root(named).sweep("sim")
    with sweep_dir.trial(1).lock_file.open("a") as trial, DriverLock(sweep_dir.driver_file):
        fcntl.flock(trial, fcntl.LOCK_SH)
        assert unread("logs", "sim:1", "-f", cwd=named) == (0, "")
        assert unread("watch", "sim", errors=subprocess.STDOUT, cwd=named) == (0, None)


@pytest.mark.slow
def test_ctrl_c_that_ends_the_reader_as_well_stops_a_sweep_at_checkpoints(space_file, root):
    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1}\nsleep: 0.02"
    file = space_file(parameters, train="{max_steps: 200, evaluate_every: 20}")
    command = [*TUNER, "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    records = root / "mlruns/sweeps/tiny/curves.jsonl"
    while driver.poll() is None and not (records.exists() and '"evaluation"' in records.read_text()):
        time.sleep(0.1)
    driver.stdout.close()
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=60) == 130
    shown = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    assert [(row["state"], row["reason"]) for row in shown] == [("INTERRUPTED", "the sweep was stopped")]
