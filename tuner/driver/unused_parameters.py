"""Parameters that change nothing: no trial reads them, or trials that differ in them have the same curve."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from tuner.domain.tags import UNREAD
from tuner.domain.trial import TrialRecord, TrialState
from tuner.space.parameters import Params

ENOUGH = 3  # trials: what one does not read, as its condition does not hold, another one may


class UnusedParameters:
    """Say once of each such parameter that it is one.

    Args:
        names: Of the sweep's parameters.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._curves: dict[bytes, tuple[int, Params]] = {}
        self._same = ""
        self.trials = 0

    def add(self, record: TrialRecord) -> str:
        """Take a trial that is finished; return a line about it and an earlier one, or nothing."""
        self.trials += record.state is TrialState.COMPLETE
        numbers = [value for value in record.curve.values() if math.isfinite(value)]
        if len(numbers) < 2 or self._same:
            return ""  # one value may be the same by chance, and all that diverges is NaN
        number, params = self._curves.setdefault(_digest(record), (record.number, record.params))
        differing = [name for name in self._names if params.get(name) != record.params.get(name)]
        if number == record.number or not differing:
            return ""
        shown = "; ".join(f"{name}: {params.get(name)} and {record.params.get(name)}" for name in differing)
        self._same = (
            f"trials {number} and {record.number} have the same curve to the last bit though their parameters differ "
            f"({shown}): look whether they are used"
        )
        return self._same

    def unread(self, records: Iterable[TrialRecord]) -> Iterator[str]:
        """Yield a line for each parameter that none of those of these trials has read that are complete."""
        whole = [record for record in records if record.state is TrialState.COMPLETE]
        unread = [set(json.loads(record.tags.get(UNREAD, "[]"))) for record in whole]
        for name in self._names:
            if unread and all(name in names for names in unread):
                yield f"no trial has read the parameter {name!r}: is it spelled so in the model?"


def _digest(record: TrialRecord) -> bytes:
    """Return a digest of all of a trial's curves."""
    curves = {"": record.curve, **record.others}
    said = sha256()
    for metric, curve in sorted(curves.items()):
        said.update(metric.encode())
        for step, value in sorted(curve.items()):
            said.update(struct.pack("<qd", step, value))
    return said.digest()
