"""Trials on the machines of a Ray cluster."""

from tuner.backends.ray.backend import RayBackend
from tuner.backends.ray.cluster import Cluster, Request, connect

__all__ = ["Cluster", "RayBackend", "Request", "connect"]
