"""Learning curves without training: recorded ones, and synthetic ones."""

from tuner.backends.simulated.curves import Course, Curves, make_curves

__all__ = ["Course", "Curves", "make_curves"]
