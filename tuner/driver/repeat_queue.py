"""Which set of parameters is to be trained with another seed before a new one is drawn."""

from __future__ import annotations

from tuner.domain.repeats import first_of
from tuner.domain.tags import REPEAT, REPEAT_OF
from tuner.domain.trial import TrialRecord, TrialState
from tuner.space.parameters import Params


class RepeatQueue:
    """See the trials of a sweep, and say what the next one repeats.

    A set of parameters of which a trial was pruned is not trained again: it will have no mean.

    Args:
        repeats: Trials of each set of parameters.
        complete_first: Whether those that repeat begin only when the first of the set is complete.
    """

    def __init__(self, repeats: int, complete_first: bool = False) -> None:
        self._repeats = repeats
        self._complete_first = complete_first
        self._members: dict[int, set[int]] = {}  # those that were begun, by the number of the first
        self._params: dict[int, Params] = {}  # of the sets that have trials to come
        self._pruned: set[int] = set()

    @property
    def left_out(self) -> int:
        """How many trials there will not be, because another one of their set was pruned."""
        return sum(self._repeats - len(self._members[first]) for first in self._pruned)

    def add(self, record: TrialRecord) -> None:
        """Take a trial as it is now: begun, taken up or finished."""
        if self._repeats == 1:
            return
        first = first_of(record.number, record.tags)
        members = self._members.setdefault(first, set())
        members.add(record.number)
        if record.state is TrialState.PRUNED:
            self._pruned.add(first)
        if record.number == first and (record.state is TrialState.COMPLETE or not self._complete_first):
            self._params[first] = record.params
        if first in self._pruned or len(members) >= self._repeats:
            self._params.pop(first, None)

    @property
    def due(self) -> bool:
        """Whether there is a trial that is to repeat another one."""
        return bool(self._params)

    def next(self) -> tuple[Params, dict[str, str]] | None:
        """Return the parameters and tags of a trial that repeats, or None if a new set is to be drawn."""
        if not self._params:
            return None
        first = min(self._params)
        return self._params[first], {REPEAT_OF: str(first), REPEAT: str(len(self._members[first]))}
