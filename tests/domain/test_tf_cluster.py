"""What each task of a cluster is told."""

import json
from dataclasses import asdict

from tests.cluster import EVALUATOR, NAMES, PS, WORKER
from tuner.domain.job import Job
from tuner.domain.spec import ClusterSettings, TrainSettings
from tuner.domain.tf_cluster import CHIEF, Kind, Name, Task, names_of, tasks_of


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
