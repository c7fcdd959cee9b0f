"""Trials on the machines of a Ray cluster."""

from tuner.backends.ray.backend import RayBackend
from tuner.backends.ray.connection import Cluster, Request, connect
from tuner.backends.ray.gangs import Nodes

__all__ = ["Cluster", "Nodes", "RayBackend", "Request", "connect"]
