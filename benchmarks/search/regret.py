"""Anytime regret on tables of real learning curves: ``python -m benchmarks.search.regret --help``.

Each contender has four asynchronous workers and the steps of twenty full trainings, of which it is told; see
``benchmarks.search.judging`` for what is measured. What others' libraries do on the same tables is in
``benchmarks.search.peers``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.search.command import measure, options
from benchmarks.search.judging import TRAININGS, WORKERS, Costs, Run, Shown
from benchmarks.search.tables import table
from tuner.config.sampler_options import METHODS
from tuner.domain.spec import Budget, Named, SweepSpec
from tuner.domain.trial import Evaluation
from tuner.sweep.simulate import simulate

FREE = Costs()


def run(name: str, sampler: Named, scheduler: Named, seed: int, costs: Costs = FREE) -> Run:
    """Run one sweep in memory until its budget is used."""
    task = table(name)
    spec = task.spec()
    steps = TRAININGS * task.steps
    search = replace(spec.search, sampler=sampler, scheduler=scheduler, trials=steps, budget=Budget(steps), seed=seed)
    return judged(name, replace(spec, search=search), costs)


def judged(name: str, spec: SweepSpec, costs: Costs = FREE) -> Run:
    """Run a sweep on a table until its budget is used."""
    task = replace(table(name), costs=costs)
    shown = Shown(task, costs)

    def until(trial: int, evaluation: Evaluation, steps: int) -> bool:
        del trial, steps
        return shown.is_last(evaluation.time, evaluation.scalars["loss"])

    began = time.process_time()
    found = simulate(spec, WORKERS, until, task)
    cpu_s = time.process_time() - began
    return shown.judge([trial.step or 0 for trial in found.trials], cpu_s, spec.search.seed or 0)


def run_pair(pair: str, name: str, seed: int, costs: Costs) -> Run:
    """Run a sweep of a pair of sampler and scheduler, or of a method."""
    return run(name, *pair_of(pair), seed, costs)


def pair_of(pair: str) -> tuple[Named, Named]:
    """Return sampler and scheduler of ``SAMPLER+SCHEDULER``, or of a method's name."""
    sampler, _, scheduler = pair.partition("+")
    return Named(sampler), Named(scheduler or (sampler if sampler in METHODS else "none"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure pairs of sampler and scheduler, written ``SAMPLER+SCHEDULER``, and methods by their name."""
    parser = options("benchmarks.search.regret", __doc__)
    parser.add_argument("pairs", nargs="+", help="for instance freeze_thaw random+asha tpe+median")
    given = parser.parse_args(arguments)
    return measure(given.pairs, run_pair, given)


if __name__ == "__main__":
    raise SystemExit(main())
