"""TensorFlow's private side of Estimators, and only here; ``patch.py`` lists what is replaced."""

from tuner.estimator.install import install_estimator

__all__ = ["install_estimator"]
