"""Freeze-thaw search: trials pause at rungs and go on from there; a model decides which parameters new ones have."""

from tuner.schedulers.freeze_thaw.scheduler import FreezeThawScheduler

__all__ = ["FreezeThawScheduler"]
