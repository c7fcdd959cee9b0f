"""What the record log alone says of trials: which were begun, and what those that completed came to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuner.domain.trial import TrialState
from tuner.records.log import read_records
from tuner.records.record import Evaluated, SweepOpened, TrialChanged, TrialOpened
from tuner.space.parameters import Params

_OF_A_TRIAL = re.compile(rb'\{"record":"(?:state|evaluation)","trial":(\d+),')
_RUNS = b'"state":"RUNNING"'


@dataclass(frozen=True)
class LoggedTrial:
    """A trial as the log has it.

    Attributes:
        state: The last one that it entered.
        values: Each objective's, as it entered that.
        curves: Metric to global step to value, of the metrics that were asked for.
    """

    number: int
    params: Params
    tags: dict[str, str] = field(default_factory=dict)
    state: TrialState = TrialState.RUNNING
    values: dict[str, float] = field(default_factory=dict)
    curves: dict[str, dict[int, float]] = field(default_factory=dict)


def begun_trials(file: Path, tail: int | None = None) -> Iterator[int]:
    """Yield the numbers of the trials that a sweep's log says to have run, each once.

    The study of the sweep has all of these, also if the machine lost power: it noted that a trial began before
    anything else was recorded of that one.

    Args:
        file: The log.
        tail: How many bytes of its end are read, so that its length costs nothing; None for all.
    """
    began: set[int] = set()
    found: set[int] = set()
    if not file.exists():
        return
    with file.open("rb") as stream:
        if tail is not None:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - tail))
        for line in stream:
            if (match := _OF_A_TRIAL.match(line)) is None:
                continue
            number = int(match[1])
            if number in began and number not in found:
                found.add(number)
                yield number
            elif _RUNS in line:
                began.add(number)


def first_opening(file: Path) -> SweepOpened | None:
    """Return the record that a sweep's log begins with; None if there is none."""
    return next((record for record, _ in read_records(file) if isinstance(record, SweepOpened)), None)


def logged_trials(file: Path, metrics: Sequence[str] = ()) -> list[LoggedTrial]:
    """Return the trials that a sweep's log has, by number, with their curves of some metrics."""
    curves: dict[int, dict[str, dict[int, float]]] = {}
    opened: dict[int, TrialOpened] = {}
    changed: dict[int, TrialChanged] = {}
    for record, _ in read_records(file):
        if isinstance(record, TrialOpened):
            opened[record.trial] = record
        elif isinstance(record, TrialChanged):
            changed[record.trial] = record
        elif isinstance(record, Evaluated):
            step, scalars = record.evaluation.step, record.evaluation.scalars
            for metric in scalars.keys() & metrics:
                curves.setdefault(record.trial, {}).setdefault(metric, {})[step] = scalars[metric]
    return [
        LoggedTrial(
            number,
            opened[number].params,
            {**opened[number].tags, **changed[number].tags},
            changed[number].state,
            dict(changed[number].values),
            curves.get(number, {}),
        )
        for number in sorted(opened.keys() & changed.keys())
    ]


def idle_trials(file: Path) -> dict[int, float]:
    """Return since when each trial that a sweep's log has no process of has none, in seconds since 1970.

    By the clock that its events have: that of its machine may be ahead of the log's.
    """
    ended: dict[int, float] = {}
    newest: dict[int, float] = {}
    for record, _ in read_records(file):
        if isinstance(record, Evaluated):
            newest[record.trial] = max(newest.get(record.trial, 0.0), record.evaluation.time)
        elif isinstance(record, TrialChanged) and record.state is TrialState.RUNNING:
            ended.pop(record.trial, None)
        elif isinstance(record, TrialChanged):
            ended.setdefault(record.trial, record.time)  # one that was paused may be pruned later
    return {trial: max(time, newest.get(trial, 0.0)) for trial, time in ended.items()}


def settled_trials(file: Path, sent: int | None) -> set[int]:
    """Return the trials that a sweep's log says to have finished, so that a driver writes no more of them.

    Args:
        file: The log.
        sent: How many bytes of it the tracking store has: others may still be on their way; None if none are sent.
    """
    settled: set[int] = set()
    for record, end in read_records(file):
        if isinstance(record, TrialChanged) and record.state.is_finished and (sent is None or end <= sent):
            settled.add(record.trial)
        elif isinstance(record, (TrialChanged, Evaluated)):
            settled.discard(record.trial)
    return settled
