"""The user's model as one object, and the Estimator and specs that a trial needs from it."""

from tuner.task.model import Model, load_model
from tuner.task.specs import Specs, build_specs, run_config

__all__ = ["Model", "Specs", "build_specs", "load_model", "run_config"]
