"""The first value that a step was given, in file order, stands; repeats are counted."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tuner.domain.trial import Evaluation


@dataclass
class FirstValueFilter:
    """Pass on of a stream of evaluations what is new in it.

    A resumed trial may evaluate a step again; what was reported first was acted upon, so it stands.

    Attributes:
        differing: How many repeats had another value than the first (bit by bit; NaN equals NaN).
    """

    differing: int = field(default=0, init=False)
    _values: dict[tuple[str, int, str], float] = field(default_factory=dict, init=False, repr=False)

    def filter(self, evaluation: Evaluation) -> Evaluation | None:
        """Return the evaluation with the scalars that are new, or None if none is."""
        fresh: dict[str, float] = {}
        for tag, value in evaluation.scalars.items():
            key = (evaluation.folder, evaluation.step, tag)
            if key not in self._values:
                self._values[key] = fresh[tag] = value
            elif not same_bits(self._values[key], value):
                self.differing += 1
        return replace(evaluation, scalars=fresh) if fresh else None


def same_bits(one: float, other: float) -> bool:
    """Whether two doubles have the same bits; NaN equals NaN."""
    return (one != one and other != other) or struct.pack("<d", one) == struct.pack("<d", other)
