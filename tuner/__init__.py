"""Hyperparameter tuning for TensorFlow Estimators.

Importing this changes nothing in TensorFlow, and imports neither it nor Optuna nor MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner._version import __version__

if TYPE_CHECKING:
    from tuner.errors import Infeasible, InvalidInput, TunerError
    from tuner.estimator.install import install_estimator
    from tuner.results import SweepResult, Trial
    from tuner.space.declarations import Categorical, Discrete, Float, Int, when
    from tuner.sweep import Sweep

__all__ = [
    "Categorical",
    "Discrete",
    "Float",
    "Infeasible",
    "Int",
    "InvalidInput",
    "Sweep",
    "SweepResult",
    "Trial",
    "TunerError",
    "__version__",
    "install_estimator",
    "when",
]

_HOMES = {
    "Categorical": "tuner.space.declarations",
    "Discrete": "tuner.space.declarations",
    "Float": "tuner.space.declarations",
    "Int": "tuner.space.declarations",
    "when": "tuner.space.declarations",
    "Infeasible": "tuner.errors",
    "InvalidInput": "tuner.errors",
    "Sweep": "tuner.sweep",
    "SweepResult": "tuner.results",
    "Trial": "tuner.results",
    "TunerError": "tuner.errors",
    "install_estimator": "tuner.estimator.install",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
