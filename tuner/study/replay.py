"""Optuna's journal read without Optuna: a long one in a second, if Optuna takes many.

Those who only read look at it as it is; a driver goes on with it as Optuna's storage (``tuner.study.restored``). What
stands here of a trial is what Optuna's own replay comes to. A line that Optuna may take otherwise is left to it
(``Unusual``): one that is damaged, of a kind that is never written here, or of other writers' conflicts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

WAITING = "WAITING"
_STATES = {0: "RUNNING", 1: "COMPLETE", 2: "PRUNED", 3: "FAIL", 4: WAITING}  # Optuna's numbers
_CODES = {state: code for code, state in _STATES.items()}
_CHUNK = 1 << 19  # bytes that are parsed at a time: many lines in one go are parsed faster than each alone


class Unusual(Exception):
    """A journal that is to be read by Optuna."""


@dataclass
class ReplayedTrial:
    """A trial as the journal has it, with Optuna's names.

    Attributes:
        number: Optuna's.
        state_name: Optuna's: RUNNING, COMPLETE, PRUNED, FAIL or WAITING.
        params: Name to what is stored.
        kinds: Name to the number of its distribution in ``Replay.kinds``.
        curve: Step and value of each report, in the order of the journal.
        started: In seconds since 1970, or 0.
        ended: Likewise.
        system_attrs: Optuna's own.
    """

    number: int
    state_name: str
    params: dict[str, Any]
    kinds: dict[str, int]
    values: list[float] | None
    curve: list[tuple[int, float]]
    user_attrs: dict[str, Any]
    started: float
    ended: float
    system_attrs: dict[str, Any]

    @property
    def is_finished(self) -> bool:
        return self.state_name not in ("RUNNING", WAITING)

    def row(self) -> list[Any]:
        """Return what ``of_row`` makes it of again, as JSON has it."""
        return [*vars(self).values()]

    @classmethod
    def of_row(cls, row: list[Any]) -> ReplayedTrial:
        """Return the trial that was written as a row."""
        return cls(*row)


@dataclass
class ReplayedStudy:
    """A study as the journal has it."""

    name: str
    directions: list[int]  # Optuna's numbers
    user_attrs: dict[str, Any] = field(default_factory=dict)
    system_attrs: dict[str, Any] = field(default_factory=dict)
    trials: list[int] = field(default_factory=list)  # their ids


class Replay:
    """What a journal comes to, up to the line that was read last.

    Attributes:
        studies: By id.
        trials: By id, of all studies.
        kinds: Text of each distribution that occurs.
        lines: How many were read here.
        before: How many stand before those.
        end: Where the last one ends, in bytes.
    """

    def __init__(self) -> None:
        self.studies: list[ReplayedStudy] = []
        self.trials: list[ReplayedTrial] = []
        self.kinds: list[str] = []
        self.lines = 0
        self.before = 0
        self.end = 0
        self._kinds: dict[str, int] = {}
        self._read: dict[int, dict[str, Any]] = {}  # of each kind what its text holds
        self._first: dict[str, int] = {}  # parameter to its kind in the first trial that has it

    def read(self, stream: BinaryIO) -> None:
        """Replay the whole lines behind those that were read.

        Raises:
            Unusual: Optuna is to read it.
        """
        stream.seek(self.end)
        try:
            for logs, size in _chunks(stream):
                for log in logs:
                    _APPLY[log["op_code"]](self, log)
                self.lines += len(logs)
                self.end += size
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Unusual from error

    def study(self, name: str) -> ReplayedStudy | None:
        """Return the study of a name."""
        return next((study for study in self.studies if study.name == name), None)

    def kind(self, text: str) -> int:
        """Return the number of a distribution."""
        number = self._kinds.get(text)
        if number is None:
            number = self._kinds[text] = len(self.kinds)
            self.kinds.append(text)
        return number

    def recall_first_kinds(self) -> None:
        """Find again which kind each parameter had first, of trials that were not replayed here."""
        for trial in self.trials:
            for name, kind in trial.kinds.items():
                self._first.setdefault(name, kind)

    def _create_study(self, log: Mapping[str, Any]) -> None:
        if self.study(log["study_name"]) is None:
            self.studies.append(ReplayedStudy(log["study_name"], log["directions"]))
        if len(self.studies) > 1:
            raise Unusual  # several in one journal are not written here

    def _set_study_attribute(self, log: Mapping[str, Any]) -> None:
        self._alive(log).user_attrs.update(log["user_attr"])

    def _set_study_system_attribute(self, log: Mapping[str, Any]) -> None:
        self._alive(log).system_attrs.update(log["system_attr"])

    def _create_trial(self, log: Mapping[str, Any]) -> None:
        study = self._alive(log)
        if log.get("value") is not None:
            raise Unusual
        kinds = {name: self.kind(text) for name, text in log.get("distributions", {}).items()}
        params = {name: self._external(kinds[name], held) for name, held in log.get("params", {}).items()}
        for name, kind in kinds.items():
            self._check_kind(name, kind)
        trial = ReplayedTrial(
            len(study.trials),
            _STATES[log.get("state", 0)],
            params,
            kinds,
            log.get("values"),
            [(int(step), value) for step, value in log.get("intermediate_values", {}).items()],
            log.get("user_attrs", {}),
            _seconds(log["datetime_start"]),
            _seconds(log.get("datetime_complete")),
            log.get("system_attrs", {}),
        )
        study.trials.append(len(self.trials))
        self.trials.append(trial)

    def _set_param(self, log: Mapping[str, Any]) -> None:
        trial = self.trials[log["trial_id"]]
        if trial.is_finished:
            return
        name, kind = log["param_name"], self.kind(log["distribution"])
        self._check_kind(name, kind)
        trial.params[name] = self._external(kind, log["param_value_internal"])
        trial.kinds[name] = kind

    def _set_state(self, log: Mapping[str, Any]) -> None:
        trial, state = self.trials[log["trial_id"]], _STATES[log["state"]]
        if trial.is_finished or state == trial.state_name == "RUNNING":
            return
        if state == "RUNNING":
            trial.started = _seconds(log["datetime_start"])
        elif state != WAITING:
            trial.ended = _seconds(log["datetime_complete"])
        trial.state_name = state
        if log["values"] is not None:
            trial.values = log["values"]

    def _report(self, log: Mapping[str, Any]) -> None:
        trial = self.trials[log["trial_id"]]
        if not trial.is_finished:
            trial.curve.append((log["step"], log["intermediate_value"]))

    def _set_attribute(self, log: Mapping[str, Any]) -> None:
        trial = self.trials[log["trial_id"]]
        if not trial.is_finished:
            trial.user_attrs.update(log["user_attr"])

    def _set_system_attribute(self, log: Mapping[str, Any]) -> None:
        trial = self.trials[log["trial_id"]]
        if not trial.is_finished:
            trial.system_attrs.update(log["system_attr"])

    def _alive(self, log: Mapping[str, Any]) -> ReplayedStudy:
        study: ReplayedStudy = self.studies[log["study_id"]]
        return study

    def _external(self, kind: int, held: float) -> Any:
        """Return a parameter's value of what Optuna writes for it."""
        kinds = self._parsed(kind)
        if kinds["name"] == "CategoricalDistribution":
            return kinds["attributes"]["choices"][int(held)]
        return int(held) if kinds["name"] == "IntDistribution" else held

    def _check_kind(self, name: str, kind: int) -> None:
        """Leave to Optuna what it may refuse: another kind of distribution, or scale, than the parameter had first."""
        first = self._first.setdefault(name, kind)
        if first == kind:
            return
        one, other = self._parsed(first), self._parsed(kind)
        same = one["name"] == other["name"] and one["name"] != "CategoricalDistribution"
        if not same or one["attributes"]["log"] != other["attributes"]["log"]:
            raise Unusual

    def _parsed(self, kind: int) -> dict[str, Any]:
        if kind not in self._read:
            found = json.loads(self.kinds[kind])
            if found["name"] not in ("FloatDistribution", "IntDistribution", "CategoricalDistribution"):
                raise Unusual
            self._read[kind] = found
        return self._read[kind]


_APPLY = {
    0: Replay._create_study,
    2: Replay._set_study_attribute,
    3: Replay._set_study_system_attribute,
    4: Replay._create_trial,
    5: Replay._set_param,
    6: Replay._set_state,
    7: Replay._report,
    8: Replay._set_attribute,
    9: Replay._set_system_attribute,
}
"""Optuna's codes of operations; 1 deletes a study, which is not done to one that is shared by nobody."""


def _chunks(stream: BinaryIO) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """Yield the whole lines of a file, many at a time, parsed, with their bytes; a torn last one is left for later."""
    left = b""
    while block := stream.read(_CHUNK):
        whole, newline, left = (left + block).rpartition(b"\n")
        if not newline:
            continue
        logs = json.loads(b"[%s]" % whole.replace(b"\n", b","))
        if len(logs) != whole.count(b"\n") + 1:
            raise Unusual
        yield logs, len(whole) + 1


def _seconds(text: str | None) -> float:
    """Return a time of the journal in seconds since 1970, to the last bit as Optuna's."""
    if text is None:
        return 0.0
    at = datetime.fromisoformat(text)
    return int(at.replace(microsecond=0).timestamp()) + at.microsecond / 1e6
