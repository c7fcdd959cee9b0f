"""Trials that are TensorFlow clusters on a Ray cluster of two nodes, each of which has room for half their tasks."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest

import tuner
from tests.backends.ray_cluster import RayCluster
from tests.end_to_end.test_clusters import clustered, pid_of
from tests.end_to_end.test_ray import Driver, assert_whole, evaluated, none_left
from tuner.domain.job import Job
from tuner.domain.tags import RESTARTED
from tuner.domain.trial import TrialState

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.tf,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not tested: pip install -e '.[ray]'"),
]
TRAIN = "{max_steps: 100, evaluate_every: 20}"


@pytest.fixture(scope="module")
def cluster():
    cluster = RayCluster()
    try:
        cluster.start(cpus=2)
        cluster.start(cpus=2)
        yield cluster
    finally:
        cluster.close()


def space(space_file, cluster, tasks="{workers: 1, ps: 1}", **parts):
    file = clustered(space_file, tasks, train=TRAIN, **parts)
    file.write_text(f"{file.read_text()}ray: {{address: '{cluster.address}'}}\n")
    return file


def test_more_tasks_than_the_cluster_has_room_for_and_a_storage_are_refused(space_file, root, cluster, tmp_path):
    file = space(space_file, cluster, "{workers: 2, ps: 1}", search="{sampler: random, trials: 1}")
    driver = Driver(file, root, tmp_path / "log")
    assert driver.end() == 2
    said = f"each trial is a cluster of 5 tasks that ask for CPU 1 each, and the cluster at {cluster.address} has room for 4"
    assert said in driver.text()
    assert "Traceback" not in driver.text()
    file = space(space_file, cluster, search="{sampler: random, trials: 1}")
    driver = Driver(file, root, tmp_path / "log", "--set", f"ray.storage={tmp_path}/storage")
    assert driver.end() == 2
    assert "the tasks of a cluster share their trial's folder" in driver.text()


def test_tasks_run_on_both_nodes_a_killed_worker_comes_back_and_a_killed_node_costs_the_steps_since_the_checkpoint(
    space_file, root, cluster, tmp_path
):
    search = "{sampler: random, trials: 1, workers: 2, seed: 3}"
    file = space(space_file, cluster, search=search, sleep=0.04)
    driver = Driver(file, root, tmp_path / "log")
    first = root / "mlruns/sweeps/tiny/trials/0000"
    driver.wait_for(lambda: (root / "mlruns/sweeps/tiny/sweep.json").exists() and evaluated(root, "tiny", 0))
    addresses = [address for found in Job.read(first / "job.json").task.cluster.values() for address in found]
    assert len({address.rpartition(":")[0] for address in addresses}) == 2
    os.kill(pid_of(first, "worker-0"), signal.SIGKILL)
    assert driver.end() == 0, driver.text()
    none_left(cluster)
    command = [sys.executable, "-m", "tuner", "resume", "tiny", "--trials", "2", "--root", str(root)]
    resumed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (resumed.returncode, "ray: 4 at a time" in resumed.stderr) == (0, True), resumed.stderr  # as it ran last
    for trial in assert_whole("tiny", root, 2).trials:
        assert (trial.state, list(trial.record.curve)) == (TrialState.COMPLETE, [20, 40, 60, 80, 100])
    record = tuner.Sweep.open("tiny", root).result().trials[0].record
    assert record.tags[RESTARTED].startswith("worker 0: once (killed by SIGKILL")

    cluster.start(cpus=2)  # where the tasks of the lost node go
    file = space(space_file, cluster, search="{sampler: random, trials: 1, workers: 1}", sleep=0.04, name="lost")
    driver = Driver(file, root, tmp_path / "log")
    driver.wait_for(lambda: (root / "mlruns/sweeps/lost/sweep.json").exists() and len(evaluated(root, "lost", 0)) > 1)
    task = Job.read(root / "mlruns/sweeps/lost/trials/0000/job.json").task
    hosts = {address.rpartition(":")[0] for found in task.cluster.values() for address in found} - {"127.0.0.3"}
    os.kill(cluster.raylets[int(min(hosts).rpartition(".")[2]) - 3], signal.SIGKILL)
    assert driver.end() == 0, driver.text()
    (trial,) = assert_whole("lost", root, 1).trials
    assert list(trial.record.curve) == [20, 40, 60, 80, 100]
    assert (trial.record.attempts, trial.record.times_lost) == (2, 1)
    none_left(cluster)
