"""The Ray backend against the suite that ships, on a cluster of one node."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.backends.ray_cluster import RayCluster
from tuner.backends import Ended
from tuner.domain.job import JobStatus
from tuner.domain.objective import Objective
from tuner.domain.spec import RaySettings
from tuner.files.paths import Root, TrialDir
from tuner.testing.backend_contract import BackendContract

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not tested: pip install -e '.[ray]'"),
]


@pytest.fixture(scope="module")
def cluster():
    cluster = RayCluster()
    try:
        cluster.start(cpus=2, gpus=2)
        yield cluster
    finally:
        cluster.close()


class RayContract(BackendContract):
    storage = False
    gpus = 0.0

    @pytest.fixture(scope="class")
    @classmethod
    def backends(cls):
        """The backend of the last test, which is used again: to warm one up takes seconds."""
        found = []
        yield found
        for backend in found:
            backend.close()

    @pytest.fixture
    def opened(self, backends, cluster, tmp_path):
        if not backends or backends[0].closed:
            backends[:] = [self.backend(cluster, tmp_path)]
            backends[0].open()
        return backends[0]

    def backend(self, cluster, folder):
        from tuner.backends.ray import RayBackend, Request, connect

        sweep_dir = Root(folder / "root").sweep("tiny")
        settings = RaySettings(cluster.address, f"file://{cluster.folder}.storage" if self.storage else "")
        joined = connect(settings, cores=2)
        return RayBackend(joined, self.model(), Objective("rmse"), (), Request(1, self.gpus), 2, settings, sweep_dir)


class TestRaySharedFolder(RayContract):
    pass


class TestRayMailbox(RayContract):
    storage = True
    gpus = 0.5

    def test_no_file_of_a_trial_is_lost_or_left_elsewhere(self, opened, cluster, tmp_path):
        trial_dir = TrialDir(tmp_path / "0000")
        opened.start(self.job(0, stop_at=20), trial_dir)
        self.until_ended(opened)
        assert (trial_dir.path / "model.ckpt-20.index").exists()
        assert "tuner: trial 0, attempt 1" in trial_dir.log_file.read_text()
        assert not trial_dir.away_file.exists()
        opened.start(self.job(0, attempt=2), trial_dir)
        messages = self.until_ended(opened)
        assert messages[-1].result.ending is JobStatus.FINISHED
        assert (trial_dir.path / "model.ckpt-40.index").exists()
        opened.close()
        assert not [file for file in Path(f"{cluster.folder}.storage").rglob("*") if file.is_file()]
        assert not list(os.scandir(cluster.scratch("127.0.0.3")))

    def test_a_trial_has_the_gpus_that_ray_gave_it(self, opened, tmp_path):
        for trial in (0, 1):
            opened.start(self.job(trial, fault="environment"), TrialDir(tmp_path / f"{trial:04d}"))
        ended = [m for m in self.until_ended(opened, 2) if isinstance(m, Ended)]
        said = {m.result.reason for m in ended}
        assert said <= {"ValueError: 0 true", "ValueError: 1 true"}, said


del BackendContract, RayContract  # suites to inherit, none to run
