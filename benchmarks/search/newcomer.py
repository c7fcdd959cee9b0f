"""The search that a newcomer's file has, beside others, on recorded curves: ``python -m benchmarks.search.newcomer``.

A sweep of twenty trials on housing and digits: what its best trial comes to, and the steps that it takes.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.search.tasks import Task, tasks
from tuner.domain.spec import Named
from tuner.domain.trial import TrialState
from tuner.sweep.simulate import simulate

WORKERS = 2
TRIALS = 20
PAIRS = {
    "freeze_thaw": (Named("freeze_thaw"), Named("freeze_thaw")),
    "tpe + median": (Named("tpe"), Named("median")),
    "tpe + asha": (Named("tpe"), Named("asha")),
    "random + none": (Named("random"), Named("none")),
}


def run(task: Task, sampler: Named, scheduler: Named, seed: int) -> tuple[float, int]:
    """Return the best complete trial's loss, and the steps of all trials."""
    objective = task.spec.objectives[0]
    search = replace(task.spec.search, sampler=sampler, scheduler=scheduler, trials=TRIALS, seed=seed)
    found = simulate(replace(task.spec, search=search), WORKERS)
    losses = [objective.goal.loss(t.values[objective.metric]) for t in found.trials if t.state is TrialState.COMPLETE]
    return min(losses), found.steps


def main(seeds: int = 10) -> int:
    """Print a line for each task and pair."""
    for task in tasks():
        for name, (sampler, scheduler) in PAIRS.items():
            found = [run(task, sampler, scheduler, seed) for seed in range(seeds)]
            best, steps = statistics.median(loss for loss, _ in found), statistics.median(steps for _, steps in found)
            print(f"{task.name:<10} {name:<14} best {best:.4f}  steps {steps:>8,.0f}", flush=True)
    return 0


def arguments(given: Sequence[str]) -> int:
    """Return the number of seeds that the command line asks for."""
    return int(given[0]) if given else 10


if __name__ == "__main__":
    sys.exit(main(arguments(sys.argv[1:])))
