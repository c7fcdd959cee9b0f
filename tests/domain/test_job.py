"""Jobs and results as files."""

import json

from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import TrainSettings


def test_files_call_an_attempt_by_the_word_of_the_first_version_and_are_read_back(tmp_path):
    job = Job(7, 3, {"password": "deep"}, 1, TrainSettings(10, 10), secrets=("password",))
    job.write(tmp_path / "job.json")
    for name in ("job.json", "private.json"):
        data = json.loads((tmp_path / name).read_text())
        assert (data["life"], "attempt" in data) == (3, False)
    assert Job.read(tmp_path / "job.json") == job

    result = JobResult(JobStatus.STOPPED, 3, 10)
    result.write(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["life"] == 3
    assert JobResult.read(tmp_path / "result.json", 3) == result
    assert JobResult.read(tmp_path / "result.json", 2) is None
