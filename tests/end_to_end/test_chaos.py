"""Processes of a sweep are killed at random, again and again; nothing may be lost or doubled.

A longer run: ``TUNER_CHAOS_KILLS=200 pytest tests/end_to_end/test_chaos.py``.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import tuner
from tuner.operations.verify import verify_sweep

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("TUNER_CHAOS_KILLS", "25"))
DRIVERS = 6


def start(file: Path, root: Path, trials: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    command += ["--trials", str(trials)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def victims(driver: subprocess.Popen) -> dict[str, list[psutil.Process]]:
    """The processes of a sweep by what they are."""
    found: dict[str, list[psutil.Process]] = {"server": [], "trial": [], "recorder": []}
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
            forked = process.parent() is not None and "tuner.forkserver.server" in " ".join(process.parent().cmdline())
        except psutil.Error:
            continue
        if "tuner.recorders.child" in line:
            found["recorder"].append(process)
        elif "tuner.forkserver.server" in line:
            found["trial" if forked else "server"].append(process)
    return found


def history(name, root):
    result = tuner.Sweep.open(name, root).result()
    return [(t.number, t.state, t.params, t.values, dict(t.record.curve), t.record.reason) for t in result.trials]


def test_a_sweep_whose_processes_are_killed_at_random_equals_an_undisturbed_one(space_file, root):
    chance = random.Random(20)
    parameters = "learning_rate: {type: float, low: 0.0001, high: 0.1, log: true}\nsleep: 0.004"
    search = "{sampler: tpe, scheduler: {name: median, startup_trials: 3}, trials: 1, seed: 5, retries: 1000}"
    train = "{max_steps: 240, evaluate_every: 40}"
    files = [space_file(parameters, search=search, train=train, name=name) for name in ("disturbed", "calm")]

    killed, plan = [], ["driver"] * DRIVERS + [None] * (KILLS - DRIVERS)
    chance.shuffle(plan)
    trials = 12
    driver = start(files[0], root, trials)
    while plan:
        time.sleep(chance.uniform(0.3, 2.5))
        if driver.poll() == 0:  # this machine is fast: there must be something left to kill
            driver.stderr.close()
            trials += 4
            driver = start(files[0], root, trials)
        if driver.poll() is not None:
            break
        there = victims(driver) if driver.poll() is None else {}
        kinds = [kind for kind in ("trial", "trial", "server", "recorder") if there.get(kind)]
        kind = "driver" if plan[-1] == "driver" and there.get("trial") else chance.choice(kinds) if kinds else None
        if kind is None or (plan[-1] == "driver" and kind != "driver"):
            continue
        if not there["trial"] and chance.random() < 0.8:
            continue  # a server or recorder that is killed while it starts, again and again, gives up
        process = psutil.Process(driver.pid) if kind == "driver" else chance.choice(there[kind])
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed.append(kind)
        plan.pop()
        if kind == "driver":
            driver.wait()
            driver.stderr.close()
            driver = start(files[0], root, trials)
    _, errors = driver.communicate(timeout=600)
    assert driver.returncode == 0, errors.decode()[-3000:]
    assert not plan, f"the sweep ended after {len(killed)} of {KILLS} kills: {killed}"
    assert killed.count("driver") >= DRIVERS

    calm = start(files[1], root, trials)
    _, errors = calm.communicate(timeout=600)
    assert calm.returncode == 0, errors.decode()[-3000:]

    disturbed = tuner.Sweep.open("disturbed", root)
    report = verify_sweep(disturbed.dir, disturbed.result())
    assert report.differences == []
    assert report.trials == trials
    assert history("disturbed", root) == history("calm", root)
    left = [p for p in psutil.process_iter(["cmdline"]) if str(root) in " ".join(p.info["cmdline"] or [])]
    assert left == []
