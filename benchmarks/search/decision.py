"""CPU of a decision of ``freeze_thaw`` in sweeps of many trials: ``python -m benchmarks.search.decision --help``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from benchmarks.search.judging import WORKERS
from benchmarks.search.tables import table, tables
from tuner.domain.spec import Named
from tuner.domain.trial import Decision
from tuner.schedulers import Begin, Promotion
from tuner.schedulers.freeze_thaw.scheduler import FreezeThawScheduler
from tuner.sweep.simulate import simulate


class Timed(FreezeThawScheduler):
    """Note the CPU of what a free worker and an evaluation ask, and how many trials there were."""

    noted: ClassVar[list[tuple[int, float]]] = []

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        return self._timed(super().report, trial, step, losses)

    def next_resume(self, may_begin: bool) -> Promotion | Begin | None:
        return self._timed(super().next_resume, may_begin)

    def _timed(self, decide: Callable[..., Any], *arguments: Any) -> Any:
        began = time.process_time()
        found = decide(*arguments)
        self.noted.append((len(self._begun), time.process_time() - began))
        return found


def measure(name: str, trials: int) -> list[tuple[int, float]]:
    """Run a sweep on a table until so many trials have begun; return what ``Timed`` noted."""
    task, noted = table(name), Timed.noted
    noted.clear()
    spec = task.spec()
    scheduler = Named(f"{Timed.__module__}:{Timed.__qualname__}")
    search = replace(spec.search, sampler=Named("random"), scheduler=scheduler, trials=trials, seed=0)
    simulate(replace(spec, search=search), WORKERS, lambda *_: noted[-1][0] >= trials, task)
    return noted


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the CPU by how many trials there were."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.decision", description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--tables", nargs="*", default=["housing", "lc_volkert"], choices=tables())
    given = parser.parse_args(arguments)
    bounds = [n for n in (0, 50, 100, 150, 250, 500, 1000, 1900, 2100) if n < given.trials] + [given.trials + 1]
    for name in given.tables:
        noted = np.array(measure(name, given.trials))
        print(f"{name}: CPU of a decision, ms")
        for low, high in pairwise(bounds):
            ms = 1e3 * noted[(noted[:, 0] > low) & (noted[:, 0] <= high), 1]
            a_trial = ms.sum() / (min(high, given.trials) - low)
            print(
                f"  trials {low + 1} to {min(high, given.trials)}: {a_trial:.0f} a trial in all its decisions, "
                f"99 of 100 decisions within {np.percentile(ms, 99):.0f}, the longest {ms.max():.0f}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
