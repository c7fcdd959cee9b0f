"""Which tasks of a cluster get devices."""

from tests.cluster import NAMES
from tuner.backends.gpus import GpuSlots
from tuner.backends.tf_cluster import TaskDevices
from tuner.backends.tf_cluster.task_ids import number_of


class TestTasks:
    def test_those_that_train_get_devices_and_a_ps_none(self):
        devices = TaskDevices(GpuSlots(("0", "1", "2"), 1), NAMES)
        seen = [devices.assign(number_of(0, name, NAMES))["CUDA_VISIBLE_DEVICES"] for name in NAMES]
        assert seen == ["-1", "0", "1", "2"]
