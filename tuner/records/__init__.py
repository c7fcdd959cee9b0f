"""The record log of a sweep: what happened, a line each, before the study is told."""

from tuner.records.log import RecordLog, read_records
from tuner.records.record import (
    Evaluated,
    ModelExported,
    Record,
    SweepClosed,
    SweepOpened,
    TrialChanged,
    TrialOpened,
)

__all__ = [
    "Evaluated",
    "ModelExported",
    "Record",
    "RecordLog",
    "SweepClosed",
    "SweepOpened",
    "TrialChanged",
    "TrialOpened",
    "read_records",
]
