"""Reverse logarithmic scales and discrete values: what a study holds, what samplers, the model and the records see."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
