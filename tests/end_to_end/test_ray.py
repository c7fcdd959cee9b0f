"""Sweeps over a Ray cluster of two nodes on one machine, which share nothing but a storage."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import psutil
import pytest

import tuner
from tests.backends.ray_cluster import RayCluster
from tests.conftest import MODELS
from tuner.domain.trial import TrialState
from tuner.events import read_all
from tuner.operations.verify import verify_sweep

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not tested: pip install -e '.[ray]'"),
]
LIMIT_S = 240
PARAMETERS = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\nsleep: 0.01"


@pytest.fixture(scope="module")
def cluster():
    cluster = RayCluster()
    try:
        cluster.start(cpus=1)
        cluster.start(cpus=1, resources='{"second": 1}')
        yield cluster
    finally:
        cluster.close()


def space(space_file, cluster, tmp_path, **parts):
    parts.setdefault("search", "{sampler: random, trials: 4, workers: 2}")
    parts.setdefault("train", "{max_steps: 400, evaluate_every: 50}")
    file = space_file(PARAMETERS, **parts)
    file.write_text(file.read_text() + f"ray: {{address: '{cluster.address}', storage: '{tmp_path}/storage'}}\n")
    return file


class Driver:
    """``tuner run`` in a process of its own, started by ``inside``; what it says is in a file."""

    def __init__(self, file, root, log, *more, inside=()):
        command = [*inside, sys.executable, "-m", "tuner", "run", str(file), "--root", str(root)]
        command += ["--backend", "ray", *more]
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def text(self):
        return self.log.read_text()

    def wait_for(self, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, self.text()
            assert self.process.poll() is None, self.text()
            time.sleep(0.1)

    def end(self):
        self.process.wait(timeout=LIMIT_S)
        return self.process.returncode


def left(cluster, host=""):
    """Processes of ours that run on the cluster's nodes."""
    found = []
    for pid in cluster.processes():
        try:
            process = psutil.Process(pid)
            line = " ".join(process.cmdline())
            if host and process.environ().get("TMPDIR") != cluster.scratch(host):
                continue
        except psutil.Error:
            continue
        if "tuner.forkserver.server" in line or "NodeWorker" in line or "SlotActor" in line:
            found.append(line)
    return found


def none_left(cluster, host=""):
    deadline = time.monotonic() + 60
    while left(cluster, host):
        assert time.monotonic() < deadline, left(cluster, host)
        time.sleep(0.2)


def assert_whole(name, root, trials):
    sweep = tuner.Sweep.open(name, root)
    result = sweep.result()
    report = verify_sweep(sweep.dir, result)
    assert report.differences == []
    assert [trial.number for trial in result.trials] == list(range(trials))
    assert all(trial.state.is_finished and trial.state is not TrialState.FAIL for trial in result.trials)
    for trial in result.trials:
        steps = [e.step for e in read_all(sweep.dir.trial(trial.number).path) if e.folder == "eval"]
        assert len(steps) == len(set(steps)), (trial.number, steps)
    return result


def evaluated(root, name, trial):
    return [e.step for e in read_all(tuner.Sweep.open(name, root).dir.trial(trial).path) if e.folder]


def test_a_killed_driver_leaves_nothing_running_and_its_sweep_goes_on(space_file, root, cluster, tmp_path):
    file = space(space_file, cluster, tmp_path, search="{sampler: random, trials: 2, workers: 2}", name="killed")
    driver = Driver(file, root, tmp_path / "log")
    driver.wait_for(lambda: driver.text().count(": running, node") == 2 and evaluated(root, "killed", 0))
    driver.process.send_signal(signal.SIGKILL)
    driver.end()
    none_left(cluster)
    again = Driver(file, root, tmp_path / "log")
    again.wait_for(lambda: again.text().count(", node ") == 4)
    again.process.send_signal(signal.SIGINT)
    assert again.end() == 130, again.text()
    none_left(cluster)
    assert Driver(file, root, tmp_path / "log").end() == 0, again.text()
    result = assert_whole("killed", root, 2)
    assert all(trial.state is TrialState.COMPLETE for trial in result.trials)
    none_left(cluster)
    assert not [file for file in (tmp_path / "storage").rglob("*") if file.is_file()]


def test_what_no_node_has_is_refused_before_anything_starts(space_file, root, cluster, tmp_path):
    file = space(space_file, cluster, tmp_path, name="greedy")
    driver = Driver(file, root, tmp_path / "log", "--set", "resources.gpus=1", "--set", "resources.cpus=3")
    assert driver.end() == 2
    assert "each trial asks for CPU 3, GPU 1, and no node of the cluster" in driver.text()
    assert "node 127.0.0.4 has CPU 1, second 1" in driver.text()
    assert "Traceback" not in driver.text()
    assert not (root / "mlruns" / "sweeps" / "greedy" / "sweep.json").exists()


def test_a_trial_of_a_population_begins_with_another_ones_checkpoint_whichever_node_that_was_on(
    space_file, root, cluster, tmp_path
):
    scheduler = "{name: pbt, population: 2, every: 100, quantile: 0.5}"
    search = f"{{sampler: random, scheduler: {scheduler}, trials: 4, workers: 2, seed: 2}}"
    file = space(space_file, cluster, tmp_path, search=search, name="population")
    driver = Driver(file, root, tmp_path / "log")
    assert driver.end() == 0, driver.text()
    forked = [t for t in assert_whole("population", root, 4).trials if "tuner.forked_from" in t.record.tags]
    assert forked
    for trial in forked:
        begins = int(trial.record.tags["tuner.forked_at"])
        assert min(trial.record.curve) == begins  # its donor's checkpoint, evaluated as its own
    none_left(cluster)


def test_a_node_that_is_killed_costs_its_trials_only_the_steps_since_their_checkpoints(
    space_file, root, cluster, tmp_path
):
    search = "{sampler: random, scheduler: {name: asha, eta: 2, min_steps: 100}, trials: 5, workers: 2, seed: 1}"
    file = space(space_file, cluster, tmp_path, search=search, name="lost")
    driver = Driver(file, root, tmp_path / "log")
    driver.wait_for(lambda: "node 127.0.0.3" in driver.text() and "node 127.0.0.4, pid" in driver.text())

    def on_the_second_node():
        running = [line for line in driver.text().splitlines() if "node 127.0.0.4, pid" in line][-1]
        number = int(running.split()[1].rstrip(":"))
        return number if f"trial {number}: PAUSED" not in driver.text() and evaluated(root, "lost", number) else None

    driver.wait_for(lambda: on_the_second_node() is not None)
    os.kill(cluster.raylets[1], signal.SIGKILL)
    assert driver.end() == 0, driver.text()
    assert "node 127.0.0.4 was lost" in driver.text()
    result = assert_whole("lost", root, 5)
    assert [trial for trial in result.trials if trial.record.times_lost]
    assert [trial for trial in result.trials if trial.state is TrialState.COMPLETE]
    none_left(cluster, "127.0.0.4")
    none_left(cluster)


def test_a_trial_that_is_promoted_on_any_node_is_exported_at_its_best_step(space_file, root, cluster, tmp_path):
    search = "{sampler: random, scheduler: asha, trials: 3, workers: 2}"
    train, objective = "{max_steps: 120, evaluate_every: 10}", "{metric: score, goal: maximize, of: best}"
    file = space_file(
        "height: {type: float, low: 0.5, high: 0.9}",
        model=MODELS / "peak.py",
        search=search,
        train=train,
        objective=objective,
    )
    file.write_text(file.read_text() + f"ray: {{address: '{cluster.address}', storage: '{tmp_path}/storage'}}\n")
    driver = Driver(file, root, tmp_path / "log")
    assert driver.end() == 0, driver.text()
    best = assert_whole("tiny", root, 3).best
    assert best.record.attempts > 1
    assert best.value == pytest.approx(best.params["height"], abs=1e-6)
    assert f"exporting the best model: trial {best.number} at step 40" in driver.text()
