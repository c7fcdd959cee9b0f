"""The one user attribute, of the study and of each trial, that holds what Optuna has no word for."""

ATTRIBUTE = "tuner"
