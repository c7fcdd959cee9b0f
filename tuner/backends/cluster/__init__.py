"""Trials that are TensorFlow clusters, on top of a backend that runs processes."""

from tuner.backends.cluster.backend import ClusterBackend
from tuner.backends.cluster.devices import TaskDevices
from tuner.backends.cluster.places import Loopback

__all__ = ["ClusterBackend", "Loopback", "TaskDevices"]
