"""What a benchmark measured, as values.

``Result(rows=[Row("tuner", {"seconds a trial": Spread.of(samples)}), ...], ratios={"loop": 1.7})``
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec


@dataclass(frozen=True)
class Spread:
    """A figure that was measured several times.

    Attributes:
        samples: As they were measured.
        median: Of the samples.
        low: The least of them.
        high: The greatest of them.
    """

    samples: tuple[float, ...]
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Return the spread of ``samples``.

        Raises:
            ValueError: There are none.
        """
        if not samples:
            raise ValueError("a spread of no samples")
        return cls(tuple(samples), statistics.median(samples), min(samples), max(samples))


Figure = Spread | float | int | str
"""What stands in a cell of a table."""


@dataclass(frozen=True)
class Row:
    """One contender and what it showed.

    Attributes:
        contender: Its name.
        figures: Column, with its unit, to figure.
        group: Rows of one group stand in one table; empty where there is one table.
    """

    contender: str
    figures: Mapping[str, Figure]
    group: str = ""


@dataclass(frozen=True)
class Result:
    """What a benchmark measured in one run.

    Attributes:
        rows: One for each contender, and group.
        ratios: Name to number, above 1 where we are ahead.
        notes: What a reader has to know: how it was measured, who was left out and why; a line each.
    """

    rows: Sequence[Row]
    ratios: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()


def absent(peer: str, *modules: str) -> str:
    """Return a line that says that a peer is left out, or nothing where all its modules can be imported."""
    missing = [module for module in modules or (peer,) if find_spec(module) is None]
    return f"{peer} is left out: {', '.join(missing)} not installed" if missing else ""
