"""A trial as several processes of another backend."""

from tests.cluster import KILLED
from tuner.backends import Ended, Started
from tuner.backends.tf_cluster import ClusterBackend, LocalAddresses
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import ClusterSettings, TrainSettings
from tuner.files.paths import TrialDir


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
