"""Clusters without TensorFlow: what each task is told, who may step, and whose end means what."""

import json
import socket
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from tuner.backends import Ended, Started
from tuner.backends.gpus import GpuSlots
from tuner.backends.placement import make_placement
from tuner.backends.tf_cluster import ClusterBackend, LocalAddresses, TaskDevices
from tuner.backends.tf_cluster.supervision import RESTARTS, Start, Stop, Supervision
from tuner.backends.tf_cluster.task_ids import name_of, number_of
from tuner.config import parse_spec
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import ClusterSettings, TrainSettings
from tuner.domain.tags import RESTARTED
from tuner.domain.tf_cluster import CHIEF, Kind, Name, Task, names_of, tasks_of
from tuner.errors import InvalidInput
from tuner.files.paths import Root, TrialDir
from tuner.trial.tf_cluster.gate import StepGate
from tuner.trial.tf_cluster.gate_server import GateClient, GateServer

WORKER, PS, EVALUATOR = Name(Kind.WORKER), Name(Kind.PS), Name(Kind.EVALUATOR)
NAMES = [PS, CHIEF, WORKER, EVALUATOR]
SECRET = "0123abcd"
KILLED = JobResult(JobStatus.FAILED, 1, reason="killed by SIGKILL", died=True)
DONE = JobResult(JobStatus.FINISHED, 1, 60)


class TestTasks:
    def test_each_task_gets_the_tf_config_of_the_same_cluster_and_the_evaluator_is_outside(self):
        names = names_of(ClusterSettings(workers=2, ps=1))
        tasks = tasks_of({name: f"host:{at}" for at, name in enumerate(names)}, "host:99")
        cluster = {"ps": ["host:0"], "chief": ["host:1"], "worker": ["host:2", "host:3"]}
        assert {name: json.loads(task.tf_config) for name, task in tasks.items()} == {
            PS: {"cluster": cluster, "task": {"type": "ps", "index": 0}},
            CHIEF: {"cluster": cluster, "task": {"type": "chief", "index": 0}},
            WORKER: {"cluster": cluster, "task": {"type": "worker", "index": 0}},
            Name(Kind.WORKER, 1): {"cluster": cluster, "task": {"type": "worker", "index": 1}},
            EVALUATOR: {"cluster": cluster, "task": {"type": "evaluator", "index": 0}},
        }

    def test_a_worker_that_is_away_holds_up_nobody(self):
        tasks = tasks_of(dict.fromkeys(NAMES, "host:1"), "")
        assert tasks[CHIEF].device_filters == ("/job:ps", "/job:chief")
        assert tasks[WORKER].device_filters == ("/job:ps", "/job:worker/task:0")

    def test_a_job_with_a_task_is_read_back_as_it_was(self, tmp_path):
        task = tasks_of(dict.fromkeys(NAMES, "host:1"), "host:2")[WORKER]
        job = Job(-4, 1, {}, 0, TrainSettings(40, 10), task=task)
        job.write(tmp_path / "job.json")
        read = Job.read(tmp_path / "job.json")
        assert (read.trial, read.task.name, read.task.tf_config) == (-4, WORKER, task.tf_config)
        assert Task.from_json(json.loads(json.dumps(asdict(task)))).gate == "host:2"

    def test_numbers_of_tasks_are_no_trials_and_name_their_task(self):
        numbers = [number_of(trial, name, NAMES) for trial in (0, 1, 700) for name in NAMES]
        assert len(set(numbers)) == len(numbers)
        assert [name_of(number, NAMES) for number in numbers] == NAMES * 3
        assert all(number >= 0 or number < -1 for number in numbers)

    def test_those_that_train_get_devices_and_a_ps_none(self):
        devices = TaskDevices(GpuSlots(("0", "1", "2"), 1), NAMES)
        seen = [devices.assign(number_of(0, name, NAMES))["CUDA_VISIBLE_DEVICES"] for name in NAMES]
        assert seen == ["-1", "0", "1", "2"]


class TestLoopback:
    def test_a_port_is_taken_from_others_and_free_for_the_task(self):
        reserved = LocalAddresses().reserve(0, NAMES)
        assert len({*reserved.addresses.values(), reserved.gate}) == len(NAMES) + 1
        host, _, port = reserved.gate.rpartition(":")
        with socket.socket() as other, pytest.raises(OSError):
            other.bind((host, int(port)))
        GateServer(StepGate(10), reserved.gate, SECRET)
        reserved.release()


def chief(gate, steps, done):
    """Take steps as a chief does, noting the global step at each multiple of 10."""
    for _ in range(steps):
        gate.chief_may_step(lambda: done[0])
        done[0] += 1
        if done[0] % 10 == 0:
            done.append(done[0])
        gate.chief_stepped()
        if gate._closed:
            return


class TestGate:
    def test_the_chief_takes_the_last_step_of_a_segment_when_all_others_are_taken(self):
        gate, done, lock = StepGate(10, 50), [0], threading.Lock()
        steps = {"chief": 0, "worker": 0}

        def worker():
            while gate.worker_may_step("worker"):
                time.sleep(0.0005)
                with lock:
                    done[0] += 1
                    steps["worker"] += 1
                gate.worker_stepped("worker")

        thread = threading.Thread(target=worker)
        thread.start()
        gate.begin(lambda: 0)
        saved = []
        while not gate._closed:
            gate.chief_may_step(lambda: done[0])
            time.sleep(0.0005)
            with lock:
                done[0] += 1
                now = done[0]
            steps["chief"] += 1
            if now % 10 == 0:
                time.sleep(0.01)  # it saves, and its evaluator evaluates
                saved.append(done[0])
            gate.chief_stepped()
        thread.join(5)
        assert saved == [10, 20, 30, 40, 50]
        assert done[0] == 50
        assert min(steps.values()) > 5

    def test_a_worker_that_is_lost_within_a_step_gives_it_back(self):
        gate, done = StepGate(10, 10, settle_s=0.01), [0]
        gate.begin(lambda: 0)
        for _ in range(3):
            assert gate.worker_may_step("worker")
            gate.worker_lost("worker")  # and never took it
        chief(gate, 50, done)
        assert done == [10, 10]

    def test_a_chief_that_stops_lets_nobody_step_beyond(self):
        gate, done = StepGate(10, 100), [0]
        gate.begin(lambda: 0)
        chief(gate, 9, done)
        gate.chief_may_step(lambda: done[0])
        gate.close()
        gate.chief_stepped()
        assert not gate.worker_may_step("worker")

    def test_a_session_that_begins_again_from_a_checkpoint_keeps_to_the_grid(self):
        gate, done = StepGate(10, 40, settle_s=0.01), [0]
        gate.begin(lambda: 0)
        chief(gate, 15, done)
        gate.worker_may_step("worker")  # its ps is lost, and perhaps the step
        done[0] = 10
        gate.begin(lambda: done[0])
        for _ in range(8):
            gate.chief_may_step(lambda: done[0])
            done[0] += 1
            gate.chief_stepped()
        done[0] += 1  # it was not
        gate.worker_stepped("worker")
        chief(gate, 100, done)
        assert done == [40, 10, 20, 30, 40]

    def test_nobody_steps_while_the_chief_looks_where_it_begins(self):
        gate, looked = StepGate(10, settle_s=0.05), threading.Event()
        gate.begin(lambda: 0)
        assert gate.worker_may_step("slow")

        def look():
            looked.set()
            time.sleep(0.05)
            return 4

        threading.Thread(target=gate.begin, args=(look,)).start()
        assert looked.wait(5)
        started = [gate.worker_may_step(at) for at in range(4)]  # of the 5 before the chief's, one is under way
        assert started == [True] * 4
        threading.Timer(0.05, gate.close).start()
        assert not gate.worker_may_step("one too many")

    def test_from_a_checkpoint_off_the_grid_the_next_is_as_far_as_ever(self):
        gate, done = StepGate(10, 40), [16]
        gate.saved(16)
        gate.begin(lambda: 16)
        for _ in range(9):
            gate.chief_may_step(lambda: done[0])
            done[0] += 1
            gate.chief_stepped()
        assert done[0] == 25
        gate.chief_may_step(lambda: done.append("looked") or done[0])
        assert done == [25, "looked"]  # the tenth is the chief's own

    def test_an_end_off_the_grid_is_the_last_step(self):
        gate, done = StepGate(10, 25), [0]
        gate.begin(lambda: 0)
        chief(gate, 100, done)
        assert done[0] == 25

    def test_over_tcp_a_worker_begins_steps_and_hears_that_training_is_over(self):
        reserved = LocalAddresses().reserve(0, [])
        gate, ends = StepGate(10, 10, settle_s=0.0), threading.Event()
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        threading.Timer(0.05, lambda: GateServer(gate, reserved.gate, SECRET)).start()  # the chief is later
        assert client.connect()
        threading.Timer(0.05, lambda: gate.begin(lambda: 0)).start()
        assert client.begun()
        assert client.may_step()
        again = GateClient(
            reserved.gate, "worker 0", ends.is_set, SECRET
        )  # its machine vanished, another one takes its place
        again.connect()
        assert again.may_step()
        again.stepped()
        threading.Timer(0.05, gate.close).start()
        while again.may_step():
            again.stepped()
        assert not again.begun()
        ends.set()
        reserved.release()

    @pytest.mark.parametrize("said", [b"", b"worker 0\nstep\n", b"a b worker 0\nstep\n", b"\xff\n", b"x" * 5000])
    def test_a_stranger_gets_no_step_and_takes_none_from_a_worker(self, said):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        gate = StepGate(3, 3, settle_s=0.0)
        GateServer(gate, reserved.gate, SECRET)
        gate.begin(lambda: 0)
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        assert client.connect()
        assert client.may_step()
        host, _, port = reserved.gate.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as stranger:
            greeting = stranger.recv(100)
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(100) == b""
        assert len(greeting) == 33
        assert len(gate._under_way) == 1  # the worker's step is its own still
        client.stepped()
        assert client.may_step()
        reserved.release()

    def test_a_worker_talks_to_no_chief_that_does_not_know_the_secret(self):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        GateServer(StepGate(10), reserved.gate, "another")
        threading.Timer(0.2, ends.set).start()
        assert not GateClient(reserved.gate, "worker 0", ends.is_set, SECRET).connect()
        reserved.release()

    def test_a_worker_whose_chief_is_gone_waits_until_it_is_ended(self):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        threading.Timer(0.1, ends.set).start()
        assert not client.connect()
        assert not client.may_step()
        reserved.release()


class TestSupervision:
    def test_when_the_chief_is_done_the_others_are_asked_and_the_ps_ended_after_them(self):
        supervision = Supervision(NAMES)
        assert supervision.ended(CHIEF, DONE) == [Stop(EVALUATOR, False), Stop(WORKER, False)]
        assert supervision.ended(WORKER, DONE) == []
        assert supervision.ended(EVALUATOR, DONE) == [Stop(PS, True)]
        assert not supervision.over
        supervision.ended(PS, KILLED)
        assert supervision.over
        assert supervision.result == DONE

    @pytest.mark.parametrize("name", [WORKER, PS, EVALUATOR], ids=str)
    def test_a_task_that_died_is_started_again_and_that_is_said_on_the_run(self, name):
        supervision = Supervision(NAMES)
        assert supervision.ended(name, KILLED) == [Start(name, "killed by SIGKILL")]
        supervision.ended(CHIEF, DONE)
        assert supervision.result.tags == {RESTARTED: f"{name}: once (killed by SIGKILL)"}

    def test_a_task_that_dies_again_and_again_fails_the_trial(self):
        supervision = Supervision(NAMES)
        for _ in range(RESTARTS):
            supervision.ended(WORKER, KILLED)
        assert set(supervision.ended(WORKER, KILLED)) == {Stop(n, True) for n in (CHIEF, PS, EVALUATOR)}
        for name in (CHIEF, PS, EVALUATOR):
            assert supervision.ended(name, KILLED) == []
        assert supervision.over
        assert "worker 0 ended 6 times, the last: killed by SIGKILL" in supervision.result.reason
        assert supervision.result.died

    def test_a_chief_that_died_takes_all_with_it(self):
        supervision = Supervision(NAMES)
        assert supervision.ended(CHIEF, KILLED) == [Stop(n, True) for n in (EVALUATOR, PS, WORKER)]
        for name in (EVALUATOR, PS, WORKER):
            supervision.ended(name, KILLED)
        assert (supervision.over, supervision.result) == (True, KILLED)

    def test_an_error_of_an_evaluator_is_the_trials(self):
        supervision = Supervision(NAMES)
        orders = supervision.ended(EVALUATOR, JobResult(JobStatus.FAILED, 1, reason="ValueError: no rows"))
        assert Stop(CHIEF, True) in orders
        assert supervision.result.reason == "evaluator: ValueError: no rows"

    def test_a_nan_loss_of_a_worker_is_the_trials(self):
        supervision = Supervision(NAMES)
        supervision.ended(WORKER, JobResult(JobStatus.NAN, 1, reason="NaN loss"))
        assert supervision.result.ending is JobStatus.NAN

    @pytest.mark.parametrize("name", [WORKER, PS, EVALUATOR], ids=str)
    def test_a_task_on_a_machine_that_was_lost_loses_the_trial(self, name):
        supervision = Supervision(NAMES)
        orders = supervision.ended(name, JobResult(JobStatus.LOST, 1, reason="node 10.0.0.2 was lost"))
        assert Stop(CHIEF, True) in orders
        assert supervision.result.ending is JobStatus.LOST
        assert supervision.result.reason == f"{name}: node 10.0.0.2 was lost"

    def test_a_trial_that_is_killed_starts_nothing_again(self):
        supervision = Supervision(NAMES)
        assert supervision.kill() == [Stop(n, True) for n in sorted(NAMES, key=str)]
        assert [supervision.ended(name, KILLED) for name in NAMES] == [[], [], [], []]
        assert supervision.over

    def test_exporters_that_fail_after_the_last_evaluation_fail_the_trial(self):
        supervision = Supervision(NAMES)
        supervision.ended(CHIEF, DONE)
        supervision.ended(EVALUATOR, JobResult(JobStatus.FAILED, 1, reason="OSError: disk full"))
        assert (supervision.result.ending, supervision.result.reason) == (
            JobStatus.FAILED,
            "evaluator: OSError: disk full",
        )


class Processes:
    """A backend whose processes end when they are stopped."""

    def __init__(self):
        self.said, self.started, self.stopped = [], [], []

    def open(self):
        return []

    def start(self, job, trial_dir):
        trial_dir.path.mkdir(parents=True, exist_ok=True)
        self.started.append((job, trial_dir))
        self.said.append(Started(job.trial, f"pid {len(self.started)}"))

    def wait(self, timeout_s):
        said, self.said = self.said, []
        return said

    def stop(self, trial, kill):
        self.stopped.append((trial, kill))
        self.said.append(Ended(trial, KILLED if kill else JobResult(JobStatus.STOPPED, 1, 20)))

    def close(self):
        self.said = []


class TestClusterBackend:
    def started(self, tmp_path):
        processes = Processes()
        backend = ClusterBackend(processes, ClusterSettings(), LocalAddresses())
        backend.start(Job(7, 1, {}, 5, TrainSettings(40, 10)), TrialDir(tmp_path / "0007"))
        return processes, backend

    def test_the_chief_has_the_trials_folder_and_each_other_task_one_below(self, tmp_path):
        processes, backend = self.started(tmp_path)
        folders = {str(job.task.name): folder.path.relative_to(tmp_path) for job, folder in processes.started}
        assert {name: str(folder) for name, folder in folders.items()} == {
            "chief": "0007",
            "worker 0": "0007/tasks/worker-0",
            "ps 0": "0007/tasks/ps-0",
            "evaluator": "0007/tasks/evaluator-0",
        }
        assert {job.seed for job, _ in processes.started} == {5}
        assert backend.wait(0.0) == [Started(7, "pid 2, the chief of 4 tasks")]

    def test_a_trial_has_ended_when_all_its_tasks_have(self, tmp_path):
        processes, backend = self.started(tmp_path)
        backend.wait(0.0)
        backend.stop(7, kill=False)
        assert processes.stopped == [(7, False)]  # the chief alone stops at a checkpoint
        messages = []
        while not messages:
            messages = backend.wait(0.1)
        (end,) = messages
        assert (end.trial, end.result.ending, end.result.step) == (7, JobStatus.STOPPED, 20)
        assert len(processes.stopped) == 4

    def test_a_trial_that_is_killed_ends_all_its_tasks(self, tmp_path):
        processes, backend = self.started(tmp_path)
        backend.wait(0.0)
        backend.stop(7, kill=True)
        (end,) = backend.wait(0.1)
        assert end.result.died
        assert {trial for trial, _ in processes.stopped} == {job.trial for job, _ in processes.started}


class TestPlacing:
    @pytest.mark.parametrize("backend", ["inline", "simulated"])
    def test_backends_that_run_no_clusters_are_refused_before_anything_starts(self, backend, tmp_path):
        with pytest.raises(InvalidInput, match=f"cluster of processes, which backend {backend} does not run"):
            make_placement(self.spec(), Root(tmp_path).sweep("tiny"), backend)

    def test_more_cores_than_there_are_for_all_tasks_of_a_trial_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tuner.backends.resources.cores", lambda: 8)
        spec = self.spec("resources: {cpus: 3}")
        with pytest.raises(
            InvalidInput, match=r"each trial asks for 12 cores \(4 tasks of its cluster\), this machine has 8"
        ):
            make_placement(spec, Root(tmp_path).sweep("tiny"), "local")
        assert make_placement(self.spec("resources: {cpus: 1}"), Root(tmp_path).sweep("tiny"), "local").workers == 2

    def test_more_devices_than_there_are_for_the_tasks_that_train_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TUNER_GPUS", "0,1")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        with pytest.raises(
            InvalidInput, match=r"each trial asks for 3 GPUs \(3 tasks of its cluster\), this machine has 2"
        ):
            make_placement(self.spec("resources: {gpus: 1}"), Root(tmp_path).sweep("tiny"), "local")

    def spec(self, more=""):
        text = (
            "name: tiny\nmodel: tuner.testing.tiny_model\nobjective: {metric: rmse}\nparameters:\n"
            "  learning_rate: {type: float, low: 0.001, high: 0.1}\ntrain: {max_steps: 40, evaluate_every: 10}\n"
        )
        return parse_spec(f"{text}cluster: {{}}\n{more}\n", "space.yaml", Path("/nowhere"))
