"""The study: Optuna asked, told and kept whole; one driver at a time on a journal."""

from tuner.domain.tags import FEASIBLE
from tuner.domain.trial import TrialRecord
from tuner.files.driver_lock import DriverLock
from tuner.study.reading import StudyOnDisk, read_study, read_trials, recently_lost
from tuner.study.study import Study

__all__ = [
    "FEASIBLE",
    "DriverLock",
    "Study",
    "StudyOnDisk",
    "TrialRecord",
    "read_study",
    "read_trials",
    "recently_lost",
]
