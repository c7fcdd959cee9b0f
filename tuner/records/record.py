"""The records of a sweep, one a line of ``curves.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tuner.domain.trial import Evaluation, TrialState
from tuner.space.parameters import ParamValue
from tuner.text import legible_json


@dataclass(frozen=True)
class SweepOpened:
    """A driver began to work on the sweep; the first one of a sweep made it.

    Attributes:
        sweep_id: Unique for ever; the parent run is found by it.
        name: The sweep's name and the experiment's.
        time: Seconds since 1970.
        objectives: Metric to goal (``minimize`` or ``maximize``), in the order of the file.
        space: The text of the frozen search space.
        settings: Resolved settings worth a line in the parent's description.
        tags: Tags of the sweep and of each of its runs (those given by ``--tag``).
        facts: Command, versions, git commit: tags of the parent; those that MLflow has a column for are
            on each run.
        description: What the sweep is for, in Markdown; empty if nobody said.
        options: How it is recorded: ``plots``, ``system_metrics``, ``training`` (tags of summaries); ``of``: metric
            to which of a trial's values is its objective (``last``, ``best``, ``mean``).
        parameters: Names of all parameters and constants, in order; empty if only the model knows them.
    """

    sweep_id: str
    name: str
    time: float
    objectives: Mapping[str, str]
    space: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Sequence[str] = ()


@dataclass(frozen=True)
class TrialOpened:
    """A trial exists; recorded once when it was drawn, again when it is taken up."""

    trial: int
    time: float
    params: Mapping[str, ParamValue]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluated:
    """An evaluation of a trial that counts (one up to its pruning)."""

    trial: int
    evaluation: Evaluation


@dataclass(frozen=True)
class TrialChanged:
    """A trial entered a state.

    Attributes:
        reason: Why, in one line; empty if the state says it all.
        values: Objective's metric to its value: on COMPLETE and PRUNED.
        step: The last step reported, or None.
    """

    trial: int
    time: float
    state: TrialState
    reason: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    step: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepClosed:
    """A driver stopped working on the sweep.

    Attributes:
        finished: Whether the limits of the sweep were reached (otherwise it can be resumed).
        reason: Why it ended, in one line.
        best: Number of the best trial, or None.
        failed: Whether a failure limit struck, or no trial completed.
        limit: The option or the key of the file that continues it if larger, or empty.
    """

    time: float
    finished: bool
    reason: str = ""
    best: int | None = None
    failed: bool = False
    limit: str = ""


@dataclass(frozen=True)
class ModelExported:
    """The best trial of the sweep was exported, or could not be.

    Attributes:
        trial: Its number.
        step: Global step of the checkpoint.
        checked: In a line: what was compared.
        problem: Why there is no export, in one line; else empty.
        values: What the metric of each objective was at that step.
        differs: How these differ from the trial's objectives, in one line; else empty.
        gone: That a better checkpoint was not there any more, in one line; else empty.
    """

    time: float
    trial: int
    step: int
    checked: str = ""
    problem: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    differs: str = ""
    gone: str = ""


Record = SweepOpened | TrialOpened | Evaluated | TrialChanged | ModelExported | SweepClosed

_KINDS: dict[str, type[Any]] = {
    "sweep": SweepOpened,
    "trial": TrialOpened,
    "evaluation": Evaluated,
    "state": TrialChanged,
    "model": ModelExported,
    "end": SweepClosed,
}

_SECONDARY = "aside"  # what an evaluation's ``is_secondary`` is called in the log

_FIELDS = {kind: frozenset(entry.name for entry in fields(kind)) for kind in _KINDS.values()}

_LAST_TIME = 1e11  # seconds since 1970, beyond which no clock is

_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(record: Record) -> str:
    """Return ``record`` as one line of JSON without its newline; doubles keep every bit."""
    data = asdict(record)
    if isinstance(record, Evaluated):
        secondary = data["evaluation"].pop("is_secondary")
        data["evaluation"] |= {_SECONDARY: True} if secondary else {}  # not there in nearly all lines
    line = json.dumps({"record": _NAMES[type(record)], **data}, separators=(",", ":"))
    return json.dumps(legible_json(json.loads(line)), separators=(",", ":")) if _has_no_text(line) else line


def from_json(line: str) -> Record:
    """Return the record that ``line`` holds.

    Raises:
        ValueError: The line is not a record of ours.
    """
    data = json.loads(line)
    if _has_no_text(line):
        data = legible_json(data)
    if not isinstance(data, dict) or str(data.get("record")) not in _KINDS:
        raise ValueError(f"not a record: {line[:80]!r}")
    kind = _KINDS[data.pop("record")]
    known = _FIELDS[kind]
    data = {key: value for key, value in data.items() if key in known}
    try:
        if kind is Evaluated:
            evaluation = dict(data["evaluation"])
            secondary = evaluation.pop(_SECONDARY, False)
            data["evaluation"] = Evaluation(**evaluation, is_secondary=secondary)
        if kind is SweepOpened:
            data["parameters"] = tuple(data.get("parameters", ()))
        if kind is TrialChanged:
            data["state"] = TrialState(data["state"])
        record: Record = kind(**data)
        if not _is_sound(vars(record)):
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a record: {line[:80]!r}") from error
    return record


def _is_sound(values: Mapping[str, Any]) -> bool:
    """Whether values have the types that everything else stands on: a damaged line may still be JSON."""
    return all(check(values[name]) for name, check in _CHECKS.items() if name in values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(type(number) in (int, float) for number in value.values())


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "time": lambda value: type(value) in (int, float) and 0 <= value < _LAST_TIME,
    "trial": lambda value: type(value) is int and value >= 0,
    "step": lambda value: value is None or type(value) is int,
    "evaluation": lambda value: _is_sound(vars(value)),
    **dict.fromkeys(("sweep_id", "name", "space", "description", "reason", "limit"), _is_text),
    **dict.fromkeys(("folder", "checked", "problem"), _is_text),
    **dict.fromkeys(("objectives", "tags", "facts"), _are_texts),
    **dict.fromkeys(("values", "scalars"), _are_numbers),
    **dict.fromkeys(("params", "settings", "options"), _is_mapping),
}


def _has_no_text(line: str) -> bool:
    """Whether a line of JSON may hold what is no text: half of a surrogate pair, or NUL."""
    return "\\ud" in line or "\\u0000" in line
