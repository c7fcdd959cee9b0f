"""Where a parameter's value stands on an axis: numbers, logarithms, choices, and values that are absent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tuner.domain.trial import TrialRecord
from tuner.plots.chart import Dimension, number_ticks, show_number, wants_log
from tuner.space import Categorical, Discrete, Int, Space

_LABEL = 18  # characters of a choice


ABSENT: Final = object()
"""In place of the value of a parameter whose condition does not hold."""


def varying(trials: Sequence[TrialRecord]) -> list[str]:
    """Return the parameters that do not have one value in all trials, in the order of the space."""
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    return [n for n in names if len({json.dumps(t.params.get(n, "absent")) for t in trials}) > 1]


@dataclass(frozen=True)
class Scale:
    """Places of values on an axis.

    Attributes:
        log: Whether the axis is logarithmic.
        choices: The values, if they are no numbers.
        whole: Whether only whole numbers have a meaning.
    """

    low: float
    high: float
    log: bool = False
    choices: tuple[str, ...] = ()
    whole: bool = False

    @classmethod
    def of(cls, name: str, values: Iterable[Any], space: Space) -> Scale:
        """Return the scale of a parameter, from its bounds or from the values that there are."""
        parameter = next((p for p in space.parameters if p.name == name), None)
        found = list(values)
        if isinstance(parameter, Categorical):
            return cls._of_choices([_label(choice) for choice in parameter.choices])
        if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in found):
            return cls._of_choices(list(dict.fromkeys(map(_label, found))))
        if parameter is None:
            return cls.numbers(found, log=False)
        if isinstance(parameter, Discrete):
            return cls.numbers(parameter.values, wants_log(parameter.values))
        log = parameter.log and not parameter.reverse
        return cls(float(parameter.low), float(parameter.high), log, whole=isinstance(parameter, Int))

    @classmethod
    def numbers(cls, values: Sequence[float], log: bool) -> Scale:
        """Return the scale of numbers without bounds."""
        return cls(min(values, default=0.0), max(values, default=1.0), log)

    @classmethod
    def _of_choices(cls, labels: Sequence[str]) -> Scale:
        return cls(0.0, max(1.0, len(labels) - 1.0), choices=tuple(labels))

    @property
    def categories(self) -> tuple[tuple[float, str], ...]:
        """Position and label of each choice; nothing for numbers."""
        return tuple((float(place), _short(label)) for place, label in enumerate(self.choices))

    def place(self, value: Any) -> float:
        """Return where a value stands: a number by itself, a choice by its place."""
        if not self.choices:
            return float(value)
        label = _label(value)
        return float(self.choices.index(label)) if label in self.choices else -1.0

    def dimension(self, title: str, values: Sequence[Any]) -> Dimension:
        """Return an axis of parallel coordinates; values that are absent stand below all others."""
        low, high = self._position(self.low), self._position(self.high)
        if high <= low:
            high = low + 1.0
        ticks = list(self.categories)
        if not self.choices:
            round_ones = [v for v in number_ticks(self.low, self.high, self.log) if not self.whole or v == int(v)]
            ticks = [(self._position(v), show_number(v)) for v in round_ones]
        below = low - 0.15 * (high - low)
        absent = [value is ABSENT for value in values]
        places = [below if a else self._position(self.place(v)) for v, a in zip(values, absent, strict=True)]
        if any(absent):
            ticks.insert(0, (below, "absent"))
        return Dimension(title, tuple(places), tuple(ticks), below if any(absent) else low, high)

    def _position(self, number: float) -> float:
        return math.log10(number) if self.log else number


def _label(value: Any) -> str:
    """Return a choice as text; one that only looks like a number is told from the number by its quotes."""
    plain = isinstance(value, str) and value not in ("true", "false", "null") and not value[:1].isdecimal()
    return value if plain else json.dumps(value)


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 9]}…{label[-8:]}"
