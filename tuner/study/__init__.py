"""The study: Optuna asked, told and kept whole; one driver at a time on a journal."""

from tuner.study.lock import DriverLock
from tuner.study.reading import read_trials
from tuner.study.study import Study
from tuner.study.trial import FEASIBLE, TrialRecord

__all__ = ["FEASIBLE", "DriverLock", "Study", "TrialRecord", "read_trials"]
