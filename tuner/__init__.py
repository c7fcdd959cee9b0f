"""Hyperparameter tuning for TensorFlow Estimators."""

from tuner._version import __version__

__all__ = ["__version__"]
