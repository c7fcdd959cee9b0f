"""``tuner resume`` after a signal."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.cli.command import tuner


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "status", "everybody"),
    [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGTERM, 143, True)],
)
def test_a_signal_stops_trials_at_checkpoints_and_resume_ends_as_if_there_was_none(
    signum, status, everybody, space_file, root
):
    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1}\nsleep: 0.02"
    file = space_file(parameters, train="{max_steps: 200, evaluate_every: 20}", search="{sampler: random, trials: 2}")
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = root / "mlruns/sweeps/tiny/curves.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_text().count('"evaluation"') > 2):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    others = psutil.Process(driver.pid).children(recursive=True) if everybody else []
    for process in others:  # as systemd and Slurm do
        process.send_signal(signum)
    driver.send_signal(signum)
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == status, errors
    assert "tuner resume tiny" in errors
    assert len(others) == (3 if everybody else 0)  # the fork server, its trial, the recorder
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    assert [(row["state"], row["reason"]) for row in rows] == [("INTERRUPTED", "the sweep was stopped")]
    assert [row["step"] > 0 and row["step"] % 20 for row in rows] == [0]
    sweep_dir = root / "mlruns/sweeps/tiny"
    assert json.loads((sweep_dir / "trials/0000/result.json").read_text())["ending"] == "stopped"
    assert int((sweep_dir / "curves.sent").read_text()) == (sweep_dir / "curves.jsonl").stat().st_size
    assert tuner("resume", "tiny", "--root", root, "--workers", 1).returncode == 0
    calm = space_file(
        parameters, train="{max_steps: 200, evaluate_every: 20}", search="{sampler: random, trials: 2}", name="calm"
    )
    assert tuner("run", calm, "--root", root, "--workers", 1).returncode == 0
    names = ("tiny", "calm")
    disturbed, undisturbed = (json.loads(tuner("show", n, "--root", root, "--format", "json").stdout) for n in names)
    keys = ("trial", "state", "params", "values", "step")
    assert [[row[k] for k in keys] for row in disturbed] == [[row[k] for k in keys] for row in undisturbed]
    assert tuner("verify", "tiny", "--root", root).returncode == 0
