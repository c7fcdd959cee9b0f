"""Sweeps over a Ray cluster of two machines with one wire between them: a node is killed, the wire is cut."""

import os
import re
import signal
from importlib.util import find_spec

import mlflow
import pytest

from tests.backends.machines import Machines
from tests.backends.ray_cluster import RayCluster
from tests.end_to_end.test_ray import Driver, assert_whole, evaluated, none_left
from tuner.domain.trial import TrialState

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.tf,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not tested: pip install -e '.[ray]'"),
]
PARAMETERS = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\nsleep: 0.02"


@pytest.fixture(scope="module")
def machines():
    machines = Machines()
    try:
        yield machines
    finally:
        machines.close()


@pytest.fixture(scope="module")
def cluster(machines):
    """A cluster with its head on the first machine; each test starts a node of its own on the second."""
    cluster = RayCluster(machines)
    try:
        cluster.start(cpus=2)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def drive(space_file, root, machines, cluster, tmp_path):
    """Begin a sweep of five trials, two at a time on each machine, driven on the first."""

    def begin(name, storage=""):
        train = "{max_steps: 200, evaluate_every: 50}"
        search = "{sampler: random, trials: 5, workers: 4, seed: 1}"
        file = space_file(PARAMETERS, search=search, train=train, name=name)
        file.write_text(f"{file.read_text()}ray: {{address: '{cluster.address}', storage: '{storage}'}}\n")
        return Driver(file, root, tmp_path / "log", inside=machines.first.inside)

    return begin


def begun(driver, machine):
    """Trials that began to run on a machine from their first step, with their process ids."""
    found = re.findall(rf"^trial (\d+): running, node {machine.address}, pid (\d+),?.*$", driver.text(), re.MULTILINE)
    return {int(number): int(pid) for number, pid in found}


def resumed(driver):
    """Trials that were taken up again, each with the step and the address of the node."""
    found = re.findall(r"^trial (\d+): resumed at step (\d+), node ([\d.]+), pid", driver.text(), re.MULTILINE)
    return sorted((int(number), int(step), address) for number, step, address in found)


def checkpoints_there(driver, machines, root, name):
    """Wait until all trials on the second machine have been evaluated; return each one's last step."""
    driver.wait_for(lambda: [len(begun(driver, machine)) for machine in machines] == [2, 2])
    there = list(begun(driver, machines.second))
    driver.wait_for(lambda: all(evaluated(root, name, trial) for trial in there))
    return {trial: max(evaluated(root, name, trial)) for trial in there}


def assert_went_on(driver, machines, root, name, checkpoints):
    """All trials are whole, each in one run; those of the second machine went on from their checkpoints on the first."""
    assert driver.text().count(f"(node {machines.second.address} was lost") == len(checkpoints)
    assert [trial for trial, _, _ in resumed(driver)] == sorted(checkpoints)
    for trial, step, address in resumed(driver):
        assert step >= checkpoints[trial]
        assert address == machines.first.address
    result = assert_whole(name, root, 5)
    for trial in result.trials:
        assert (trial.state, sorted(trial.record.curve)) == (TrialState.COMPLETE, [50, 100, 150, 200])
        assert (trial.record.attempts, trial.record.times_lost) == ((2, 1) if trial.number in checkpoints else (1, 0))
    client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    trials = [run.data.tags["tuner.trial"] for run in runs if "tuner.trial" in run.data.tags]
    assert sorted(trials) == ["0", "1", "2", "3", "4"]


def test_a_node_on_another_machine_that_is_killed_costs_its_trials_only_the_steps_since_their_checkpoints(
    drive, machines, cluster, root, tmp_path
):
    raylet = cluster.start(cpus=2)
    assert raylet in machines.second.processes()
    driver = drive("killed", storage=f"{tmp_path}/storage")
    checkpoints = checkpoints_there(driver, machines, root, "killed")
    os.kill(raylet, signal.SIGKILL)
    assert driver.end() == 0, driver.text()
    assert_went_on(driver, machines, root, "killed", checkpoints)
    none_left(cluster)
    assert not [file for file in (tmp_path / "storage").rglob("*") if file.is_file()]


def test_trials_on_a_machine_that_is_cut_off_go_on_elsewhere_and_do_nothing_twice_in_the_folder_that_both_see(
    drive, machines, cluster, root
):
    cluster.start(cpus=2)
    driver = drive("cut")
    checkpoints = checkpoints_there(driver, machines, root, "cut")
    left_behind = begun(driver, machines.second).values()
    machines.second.pull_the_plug()
    for pid in left_behind:
        os.kill(pid, signal.SIGSTOP)
    driver.wait_for(lambda: len(resumed(driver)) == len(checkpoints))
    for pid in left_behind:  # there are two of each of these trials now, and nobody can tell the former ones to end
        os.kill(pid, signal.SIGCONT)
    assert driver.end() == 0, driver.text()
    assert_went_on(driver, machines, root, "cut", checkpoints)
    none_left(cluster, machines.first.address)
    machines.second.plug_in()
    none_left(cluster)
