"""Workers on a virtual clock, in one process: what a peer's scheduler decides is obeyed at once.

A step of any trial takes one tick, and is evaluated behind it. One thing happens at a time, as in
``tuner.backends.simulated``: of two at the same tick the one that was planned first.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Protocol

from benchmarks.search.judging import WORKERS, Costs, Run, Shown
from benchmarks.search.tables import CurveTable


class Decision(Enum):
    """What becomes of a trial after an evaluation."""

    GO_ON = "go on"
    PAUSE = "pause"
    STOP = "stop"


class Peer(Protocol):
    """A scheduler and sampler of another library."""

    def next(self) -> tuple[int, Mapping[str, float]] | None:
        """Return number and parameters of the trial that a free worker takes, or None to ask after the next event.

        A trial that was paused goes on where it was.
        """

    def report(self, trial: int, step: int, loss: float) -> Decision:
        """Take up an evaluation; the trial ends with its last step, whatever is decided."""


def race(make: Callable[[CurveTable, int], Peer], table: CurveTable, seed: int, costs: Costs) -> Run:
    """Let a peer search on a table until the budget is used, or until it has nothing more to do."""
    began = time.process_time()
    peer = make(table, seed)
    shown, steps = Shown(table, costs), dict[int, int]()
    courses, planned, order = {}, list[tuple[float, int, int]](), itertools.count()
    now = 0.0
    while True:
        while len(planned) < WORKERS and (chosen := peer.next()) is not None:
            trial, params = chosen
            if trial not in courses:
                courses[trial], steps[trial] = table.begin(params, seed), 0
            wait = costs.resume if steps[trial] else costs.start
            heapq.heappush(planned, (now + wait + 1.0, next(order), trial))
        if not planned:
            break
        now, _, trial = heapq.heappop(planned)
        steps[trial] += 1
        loss = courses[trial].at(steps[trial])["loss"]
        if shown.is_last(now, loss):
            break
        if peer.report(trial, steps[trial], loss) is Decision.GO_ON and steps[trial] < table.steps:
            heapq.heappush(planned, (now + 1.0, next(order), trial))
    return shown.judge(list(steps.values()), time.process_time() - began, seed)
