"""The sweep: one loop over everything, and its Python face."""

from tuner.sweep.run_options import RunOptions
from tuner.sweep.run_outcome import RunOutcome
from tuner.sweep.sweep import Sweep

__all__ = ["RunOptions", "RunOutcome", "Sweep"]
