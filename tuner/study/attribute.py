"""The one user attribute, of the study and of each trial, that holds what Optuna has no word for."""

ATTRIBUTE = "tuner"
STORED = "stored"
"""In the study's: the parameters of which Optuna holds something else than their values."""
FORGOTTEN = "forgotten"
"""In the study's: numbers of trials that were deleted."""
STEP = f"{ATTRIBUTE}."
"""And a global step: attribute of a trial with what Optuna does not keep of an evaluation."""
