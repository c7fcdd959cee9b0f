"""How many evaluations take as long as the start of a trial: its process, its graph, its checkpoint."""

from __future__ import annotations

import math
import statistics

FEWEST = 4  # trials, before it can be told
LEAST, MOST = 0.25, 2.0  # to count more made no sweep better, even if a start took nine


class StartCost:
    """What starts took, as the median over trials."""

    def __init__(self) -> None:
        self._costs: dict[int, float] = {}
        self._median: float | None = None  # None: to be found, by who asks; a driver that is restarted only tells

    def add(self, trial: int, seconds: float, starting: float, evaluations: float, starts: int) -> None:
        """Take what a trial has taken in all; told again, the last counts.

        Args:
            trial: Its number.
            seconds: In which it had a process.
            starting: Of these, up to the first evaluation of each process.
            evaluations: How many it was trained for, parts of one included.
            starts: How many processes it has had.
        """
        self._median = None
        self._costs.pop(trial, None)  # a driver that is restarted is told the last alone
        if starting and seconds > starting and evaluations >= 2 * starts:  # with less it is mostly start
            self._costs[trial] = starting / starts * (evaluations - starts) / (seconds - starting) - 1.0

    def evaluations(self) -> float | None:
        """Return how many evaluations take as long as a start, ``MOST`` at most; None if that cannot be told yet.

        A power of two, or 0: measured seconds are never twice the same, and decisions should be.
        """
        if len(self._costs) < FEWEST:
            return None
        if self._median is None:
            self._median = statistics.median(self._costs.values())
        return 2.0 ** round(math.log2(min(self._median, MOST))) if self._median >= LEAST * math.sqrt(0.5) else 0.0
