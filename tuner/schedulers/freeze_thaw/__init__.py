"""Freeze-thaw search: one model of all curves, which decides what trains on and what begins."""

from tuner.schedulers.freeze_thaw.scheduler import FreezeThawScheduler

__all__ = ["FreezeThawScheduler"]
