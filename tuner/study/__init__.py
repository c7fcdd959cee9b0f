"""The study: Optuna asked, told and kept whole; one driver at a time on a journal."""

from tuner.study.lock import DriverLock
from tuner.study.study import FEASIBLE, Study, TrialRecord, read_trials

__all__ = ["FEASIBLE", "DriverLock", "Study", "TrialRecord", "read_trials"]
