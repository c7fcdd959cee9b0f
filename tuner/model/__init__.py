"""The user's model as one object, and the Estimator and specs that a trial needs from it."""

from tuner.model.estimator_specs import Specs, build_specs, run_config
from tuner.model.user_model import UserModel, load_model

__all__ = ["Specs", "UserModel", "build_specs", "load_model", "run_config"]
