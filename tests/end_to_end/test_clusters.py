"""Sweeps of trials that are TensorFlow clusters: a chief, a worker, a ps and an evaluator, all real."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import tuner
from tests.displays import Lines
from tests.end_to_end.test_budgets import run
from tuner.domain.tags import RESTARTED
from tuner.domain.trial import TrialState
from tuner.events import read_all
from tuner.files.checkpoints import newest_step
from tuner.operations.verify import verify_sweep

pytestmark = [pytest.mark.slow, pytest.mark.tf]
LIMIT_S = 120
MARK = "TUNER_TEST_OF_CLUSTERS"
RATE = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}"


def clustered(space_file, cluster="{workers: 1, ps: 1, evaluator: true}", sleep=0.01, **parts):
    parts.setdefault("parameters", f"{RATE}\nsleep: {sleep}")
    file = space_file(**parts)
    file.write_text(file.read_text() + f"cluster: {cluster}\n")
    return file


class Driver:
    """``tuner`` in a process of its own; it and all that it starts carry a mark in their environment."""

    def __init__(self, root, *arguments):
        self.mark = f"{root}-{time.monotonic_ns()}"
        self.log = root / "driver.txt"
        command = [sys.executable, "-m", "tuner", *map(str, arguments), "--root", str(root)]
        with self.log.open("ab") as out:
            env = {**os.environ, MARK: self.mark}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)

    def wait_for(self, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline and self.process.poll() is None, self.told()
            time.sleep(0.02)

    def told(self):
        """What the driver and all tasks have said, and where each of them stands."""
        for lock in self.log.parent.glob("mlruns/**/trial.lock"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(lock.read_text()), signal.SIGUSR1)
        time.sleep(2)  # each writes its stacks into its log
        logs = [self.log, *sorted(self.log.parent.glob("mlruns/**/log.txt"))]
        return "\n".join(f"== {log.relative_to(self.log.parent)}\n{log.read_text()}" for log in logs)

    def end(self):
        self.process.wait(timeout=LIMIT_S)
        return self.process.returncode

    def left(self):
        """Command lines of the processes that are still there."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark:
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found

    def gone(self):
        """Whether all processes are gone, soon."""
        deadline = time.monotonic() + 20
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.left() == []


def pid_of(trial_dir, task):
    """Process id of a task that runs, or None."""
    folder = trial_dir if task == "chief" else trial_dir / "tasks" / task
    try:
        return int((folder / "trial.lock").read_text())
    except (OSError, ValueError):
        return None


def evaluated(trial_dir):
    return sorted({e.step for e in read_all(trial_dir)})


def checked(name, root, trials):
    """The sweep's trials, after study, MLflow and event files were compared."""
    sweep = tuner.Sweep.open(name, root)
    report = verify_sweep(sweep.dir, sweep.result())
    assert (report.differences, report.trials) == ([], trials)
    return sweep.result().trials


def test_a_sweep_of_clusters_two_at_a_time_reports_what_one_of_processes_does_and_a_killed_worker_comes_back(
    space_file, root
):
    search, train = "{sampler: random, trials: 3, seed: 4, workers: 2}", "{max_steps: 100, evaluate_every: 20}"
    driver = Driver(root, "run", clustered(space_file, search=search, train=train, sleep=0.02))
    first = root / "mlruns/sweeps/tiny/trials/0000"
    driver.wait_for(lambda: evaluated(first) and pid_of(first, "worker-0"))
    os.kill(pid_of(first, "worker-0"), signal.SIGKILL)
    most = 0
    while driver.process.poll() is None:
        most = max(most, sum("tuner.forkserver.server" in line for line in driver.left()))
        time.sleep(0.1)
    assert driver.end() == 0, driver.log.read_text()
    assert driver.gone()
    assert most == 1 + 2 * 4  # the fork server, and four tasks of each of two trials
    trials = checked("tiny", root, 3)
    single, _ = run(space_file(f"{RATE}\nsleep: 0.0", search=search, train=train, name="single"), root)
    for trial, alone in zip(trials, single.result.trials, strict=True):
        assert trial.state is TrialState.COMPLETE
        assert list(trial.record.curve) == list(alone.record.curve) == [20, 40, 60, 80, 100]
        assert trial.params["learning_rate"] == alone.params["learning_rate"]
        assert trial.value == pytest.approx(alone.value, rel=0.2)  # workers train asynchronously
    assert trials[0].record.tags[RESTARTED].startswith("worker 0: once (killed by SIGKILL")
    for trial_dir in sorted((root / "mlruns/sweeps/tiny/trials").glob("0*")):
        assert "loss = " in (trial_dir / "tasks/worker-0/log.txt").read_text()  # it took steps


def test_a_killed_ps_evaluator_or_chief_costs_no_more_than_the_steps_since_the_last_checkpoint(space_file, root):
    search, train = "{sampler: random, trials: 1}", "{max_steps: 200, evaluate_every: 20}"
    file = clustered(space_file, "{workers: 2, ps: 2}", search=search, train=train, sleep=0.03)
    driver = Driver(root, "run", file)
    trial_dir = root / "mlruns/sweeps/tiny/trials/0000"
    for at, task in ((20, "ps-0"), (60, "evaluator-0"), (80, "ps-1"), (120, "chief")):
        driver.wait_for(lambda at=at: at in evaluated(trial_dir))
        os.kill(pid_of(trial_dir, task), signal.SIGKILL)
    assert driver.end() == 0, driver.log.read_text()
    assert driver.gone()
    (trial,) = checked("tiny", root, 1)
    assert list(trial.record.curve) == list(range(20, 201, 20))
    assert (trial.record.attempts, trial.record.failures) == (2, 1)
    log = (trial_dir / "log.txt").read_text()
    for task in ("ps 0", "ps 1", "evaluator"):
        assert f"{task} is started again: killed by SIGKILL" in log


def test_after_ctrl_c_and_a_killed_driver_nothing_runs_and_the_sweep_goes_on(space_file, root):
    search, train = "{sampler: random, trials: 1}", "{max_steps: 120, evaluate_every: 20}"
    file = clustered(space_file, search=search, train=train, sleep=0.02)
    trial_dir = root / "mlruns/sweeps/tiny/trials/0000"
    driver = Driver(root, "run", file)
    driver.wait_for(lambda: evaluated(trial_dir))
    driver.process.send_signal(signal.SIGINT)
    assert driver.end() == 130
    assert driver.gone()
    (trial,) = checked("tiny", root, 1)
    assert trial.state is TrialState.INTERRUPTED
    stopped_at = evaluated(trial_dir)[-1]
    assert stopped_at % 20 == 0

    driver = Driver(root, "resume", "tiny")
    driver.wait_for(lambda: evaluated(trial_dir)[-1] > stopped_at)
    driver.process.kill()
    driver.process.wait()
    assert driver.gone()
    driver = Driver(root, "resume", "tiny")
    assert driver.end() == 0, driver.log.read_text()
    assert driver.gone()
    (trial,) = checked("tiny", root, 1)
    assert list(trial.record.curve) == [20, 40, 60, 80, 100, 120]


def test_a_signal_to_all_processes_stops_each_trial_at_a_checkpoint_of_its_chief(space_file, root):
    search, train = "{sampler: random, trials: 1}", "{max_steps: 120, evaluate_every: 20}"
    driver = Driver(root, "run", clustered(space_file, search=search, train=train, sleep=0.02))
    trial_dir = root / "mlruns/sweeps/tiny/trials/0000"
    driver.wait_for(lambda: evaluated(trial_dir))
    for process in psutil.Process(driver.process.pid).children(recursive=True):
        process.terminate()
    driver.process.terminate()
    assert driver.end() == 143
    assert driver.gone()
    (trial,) = checked("tiny", root, 1)
    assert (trial.state, trial.record.reason) == (TrialState.INTERRUPTED, "the sweep was stopped")
    assert evaluated(trial_dir)[-1] == newest_step(trial_dir)
    driver = Driver(root, "resume", "tiny")
    assert driver.end() == 0, driver.log.read_text()
    (trial,) = checked("tiny", root, 1)
    assert list(trial.record.curve) == [20, 40, 60, 80, 100, 120]


def holders(trial_dir):
    """The tasks of a trial that still run: each holds the lock in its folder."""
    found = []
    for file in (trial_dir / "trial.lock", *sorted(trial_dir.glob("tasks/*/trial.lock"))):
        with file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                found.append(file.parent.name)
    return found


def test_pruning_pauses_and_the_limit_of_a_trial_end_all_its_tasks(space_file, root):
    ended = {}

    def look(trial):
        ended[trial.number] = holders(Path(trial.trial_dir))

    asha = "{sampler: random, scheduler: {name: asha, eta: 2, min_steps: 20}, trials: 3, workers: 1, seed: 1}"
    file = clustered(space_file, search=asha, train="{max_steps: 40, evaluate_every: 20}", name="paused", sleep=0.0)
    result = tuner.Sweep.from_file(file, root).run(on_trial_end=look)
    assert [state for state in TrialState if any(t.state is state for t in result.trials)] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
    ]
    assert any(trial.record.attempts == 2 for trial in result.trials)  # paused at step 20, promoted
    assert all(list(t.record.curve) in ([20], [20, 40]) for t in checked("paused", root, 3))

    enqueue = "enqueue: [{learning_rate: 0.1}, {learning_rate: 0.001}]"
    median = f"{{scheduler: {{name: median, startup_trials: 1}}, trials: 2, workers: 1, {enqueue}}}"
    file = clustered(space_file, search=median, train="{max_steps: 60, evaluate_every: 20}", name="pruned", sleep=0.0)
    result = tuner.Sweep.from_file(file, root).run(on_trial_end=look)
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert list(result.trials[1].record.curve) == [20]
    checked("pruned", root, 2)

    search = "{sampler: random, trials: 1, trial_timeout: 4s}"
    file = clustered(space_file, search=search, train="{max_steps: 100000, evaluate_every: 20}", name="long")
    ran, _ = run(file, root)
    assert "ran longer than its limit of 4 s" in ran.result.trials[0].record.reason
    assert holders(Path(ran.result.trials[0].trial_dir)) == []
    assert set(map(tuple, ended.values())) == {()}


def test_an_evaluator_that_fails_is_why_its_trial_failed(space_file, root, tmp_path):
    model = tmp_path / "norows.py"
    model.write_text(
        "from tests.data.models.tiny import *\ndef eval_input_fn(params):\n    raise ValueError('there are no rows')\n"
    )
    ran, _ = run(clustered(space_file, model=model, search="{sampler: random, trials: 1, retries: 0}"), root)
    (trial,) = ran.result.trials
    assert (trial.state, trial.record.reason) == (
        TrialState.FAIL,
        "evaluator: ValueError: there are no rows (line 3 of norows.py)",
    )
    assert holders(Path(trial.trial_dir)) == []


def test_an_optimizer_that_steps_with_all_workers_at_once_is_refused(space_file, root, tmp_path):
    model = tmp_path / "synchronous.py"
    model.write_text(
        "from tests.data.models.tiny import *\ndef model_fn(features, labels, mode, params):\n"
        "    weights = tf.compat.v1.get_variable('weights', [4, 1])\n"
        "    loss = tf.reduce_mean((labels - tf.squeeze(tf.matmul(features['x'], weights), 1)) ** 2)\n"
        "    descent = tf.compat.v1.train.GradientDescentOptimizer(0.1)\n"
        "    optimizer = tf.compat.v1.train.SyncReplicasOptimizer(descent, 2, total_num_replicas=2)\n"
        "    train_op = optimizer.minimize(loss, tf.compat.v1.train.get_or_create_global_step())\n"
        "    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)\n"
    )
    ran, _ = run(clustered(space_file, model=model, search="{sampler: random, trials: 1}"), root)
    assert ran.result.trials[0].record.reason.startswith("model_fn uses SyncReplicasOptimizer")


def test_a_chief_alone_and_its_evaluator_need_no_ps_and_throttling_is_passed_over(space_file, root, tmp_path):
    model = tmp_path / "throttled.py"
    model.write_text(
        "from tests.data.models.tiny import *\ndef eval_spec(params):\n"
        "    return tf.estimator.EvalSpec(lambda: eval_input_fn(params), steps=None, name='dev')\n"
    )
    file = clustered(space_file, "{workers: 0, ps: 0}", model=model, search="{sampler: random, trials: 1}")
    display = Lines()
    ran, _ = run(file, root, display)
    (trial,) = ran.result.trials
    assert list(trial.record.curve) == [20, 40, 60]
    assert any("throttle_secs and start_delay_secs are taken as 0" in line for line in display.lines)


def test_two_devices_of_one_host_are_mirrored_within_a_trial(space_file, root, tmp_path):
    model = tmp_path / "mirrored.py"
    model.write_text(
        "from tests.data.models.tiny import *\n"
        "def run_config(params, config):\n"
        "    two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        "    tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], two)\n"
        "    ops = tf.distribute.ReductionToOneDevice()\n"
        "    strategy = tf.distribute.MirroredStrategy(['cpu:0', 'cpu:1'], cross_device_ops=ops)\n"
        "    return config.replace(train_distribute=strategy)\n"
    )
    ran, _ = run(space_file(model=model, search="{sampler: random, trials: 1}"), root)
    (trial,) = ran.result.trials
    assert (trial.state, list(trial.record.curve)) == (TrialState.COMPLETE, [20, 40, 60])
    log = (Path(trial.trial_dir) / "log.txt").read_text()
    assert "'/job:localhost/replica:0/task:0/device:CPU:1'" in log or "CPU:1" in log

    ran, _ = run(clustered(space_file, model=model, search="{sampler: random, trials: 1}", name="both"), root)
    assert "train_distribute" in ran.result.trials[0].record.reason
