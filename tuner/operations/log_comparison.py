"""What the record log says of trials, held against what the study has of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tuner.domain.trial import TrialState
from tuner.events.first_values import same_bits
from tuner.files.paths import SweepDir
from tuner.records.log import last_record
from tuner.records.record import SweepClosed
from tuner.records.trials import LoggedTrial, logged_trials
from tuner.results import Trial


def log_differences(sweep_dir: SweepDir, trials: Iterable[Trial]) -> Iterator[str]:
    """Yield a line for each parameter, state and objective that the log has otherwise than the study.

    Nobody may be at work on the sweep: an end is written into the log, then into the study.
    """
    name = sweep_dir.records_file.name
    logged = {trial.number: trial for trial in logged_trials(sweep_dir.records_file)}
    closed = isinstance(last_record(sweep_dir.records_file), SweepClosed)  # by a driver that told all that it knew
    for trial in trials:
        held = logged.get(trial.number)
        if held is not None:
            yield from (f"trial {trial.number}: study: {line}" for line in _differences(trial, held, name))
        elif trial.state.is_finished or closed:
            yield f"trial {trial.number}: is in the study but has no records in {name}"


def _differences(trial: Trial, held: LoggedTrial, name: str) -> Iterator[str]:
    for parameter in dict.fromkeys([*held.params, *trial.params]):
        found, expected = trial.params.get(parameter), held.params.get(parameter)
        if found != expected or (parameter in trial.params) != (parameter in held.params):
            yield f"parameter {parameter} is {found!r}, {name}: {expected!r}"
    if trial.state is not held.state:
        yield f"state {trial.state.value}, {name}: {held.state.value}"
    elif trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
        for metric, value in held.values.items():
            if metric not in trial.values or not same_bits(trial.values[metric], value):
                yield f"objective {metric} is {trial.values.get(metric)!r}, {name}: {value!r}"
