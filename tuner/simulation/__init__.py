"""Learning curves without training: recorded ones, and synthetic ones."""

from tuner.simulation._base import Course, Curves
from tuner.simulation.make import make_curves

__all__ = ["Course", "Curves", "make_curves"]
