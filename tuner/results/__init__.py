"""What a sweep has found, for people who program.

Reads the study and the record log; needs neither TensorFlow nor MLflow.
"""

from tuner.results.sweep_result import SweepResult
from tuner.results.trial import Trial

__all__ = ["SweepResult", "Trial"]
