"""Trials that are TensorFlow clusters, on top of a backend that runs processes."""

from tuner.backends.tf_cluster.backend import ClusterBackend
from tuner.backends.tf_cluster.devices import TaskDevices
from tuner.backends.tf_cluster.ports import LocalAddresses

__all__ = ["ClusterBackend", "LocalAddresses", "TaskDevices"]
