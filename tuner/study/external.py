"""Finished trials of any Optuna study, ours or not, for a warm start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.config import parameter_from_json
from tuner.domain.objective import Constraint, Objective
from tuner.domain.trial import FinishedTrial
from tuner.errors import InvalidInput, Problem, StoreError
from tuner.files.beside import near_path
from tuner.hiding import hidden
from tuner.space import Space
from tuner.space.drawing import is_number
from tuner.study.database import missing_file
from tuner.study.encoding import read
from tuner.study.frozen_trial import ATTRIBUTE, STORED
from tuner.study.storage import open_journal

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

FLAG = "--from"


def read_foreign(
    given: str, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> list[FinishedTrial]:
    """Return the complete trials of an Optuna study.

    Args:
        given: ``URL``, or ``URL#STUDY`` if the storage has several; a journal's or SQLite's file.
        objectives: Of the sweep that is to learn from them: metrics in the study's order, if the
            study does not name its own.
        constraints: Of that sweep: what counts of their metrics is looked for in a study of ours, and among the user
            attributes of another one.

    Raises:
        InvalidInput: There is no such study, or it has other goals.
        StoreError: The storage cannot be read.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place, _, name = given.partition("#")
    storage = _open(place)
    try:
        names = [study.study_name for study in storage.get_all_studies()]
        if not name and len(names) == 1:
            name = names[0]
        if name not in names:
            shown = ", ".join(names) or "none"
            raise InvalidInput(FLAG, f"expected {hidden(place)}#STUDY with one of its studies: {shown}")
        study = optuna.load_study(study_name=name, storage=storage)
    except InvalidInput:
        raise
    except Exception as error:
        raise StoreError(hidden(f"{FLAG}: the storage {place} cannot be read: {error}")) from error
    metrics = _metrics(given, study, objectives)
    complete = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    odd = study.user_attrs.get(ATTRIBUTE, {}).get(STORED, ())
    space = Space(tuple(parameter_from_json(parameter) for parameter in odd))
    return [_finished(trial, metrics, space, [constraint.metric for constraint in constraints]) for trial in complete]


def _open(place: str) -> BaseStorage:
    import optuna
    from sqlalchemy.exc import ArgumentError

    if "://" not in place:
        if not Path(place).is_file():
            raise InvalidInput(FLAG, [Problem("", f"no such file {place!r}", near_path(Path(place)))])
        if place.endswith(".journal"):
            return open_journal(Path(place))
        place = f"sqlite:///{place}"
    try:
        file = missing_file(place)
    except (ArgumentError, ValueError) as error:
        raise InvalidInput(FLAG, f"{place} is no URL of a storage ({error})") from error
    if file:
        raise InvalidInput(FLAG, [Problem("", f"no such file {file!r}", near_path(Path(file)))])
    try:
        return optuna.storages.get_storage(place)
    except Exception as error:
        raise StoreError(hidden(f"{FLAG}: the storage {place} cannot be opened: {error}")) from error


def _metrics(given: str, study: object, objectives: Sequence[Objective]) -> list[str]:
    """Return what the study's values are values of, in its order."""
    directions = [direction.name.lower() for direction in study.directions]  # type: ignore[attr-defined]
    names = study.metric_names or [objective.metric for objective in objectives]  # type: ignore[attr-defined]
    goals = {o.metric: o.goal.value for o in objectives}
    found = dict(zip(names, directions, strict=False))
    if len(names) != len(directions) or any(found.get(metric) != goal for metric, goal in goals.items()):
        raise InvalidInput(
            FLAG,
            f"the study {hidden(given)} has {', '.join(f'{goal} {metric}' for metric, goal in found.items())}, "
            f"expected {', '.join(f'{goal} {metric}' for metric, goal in goals.items())}",
        )
    return list(names)


def _finished(trial: FrozenTrial, metrics: Sequence[str], space: Space, limited: Sequence[str]) -> FinishedTrial:
    noted = trial.user_attrs.get(ATTRIBUTE, {})
    values = noted.get("values") or dict(zip(metrics, trial.values, strict=True))
    known = {**trial.user_attrs, **noted.get("constraints", {})}
    limits = {metric: float(known[metric]) for metric in limited if is_number(known.get(metric))}
    return FinishedTrial(read(trial.params, trial.distributions, space), {**limits, **values})
