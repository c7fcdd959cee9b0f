"""The sweep: one loop over everything, and its Python face."""

from tuner.sweep.sweep import Ran, Sweep

__all__ = ["Ran", "Sweep"]
