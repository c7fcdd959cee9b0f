"""Anytime regret on tables of real learning curves: ``python -m benchmarks.search.regret --help``.

Each contender has four asynchronous workers and the steps of twenty full trainings. Regret is
``(incumbent - best known) / (median configuration's best - best known)``, with the best evaluation
shown so far for the incumbent; the mean over tables of the mean over seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.search.tables import table, tables
from tuner.config.sampler_options import METHODS
from tuner.domain.spec import Named, SweepSpec
from tuner.domain.trial import Evaluation
from tuner.sweep.simulate import simulate

WORKERS = 4
TRAININGS = 20
SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Run:
    """One sweep on one table.

    Attributes:
        regret: At each share of the budget.
        to_best_percent: Full trainings until it showed a loss of the best 1 % of configurations, or infinity.
        in_best: Whether it showed one of the best 0.3 %.
        trials: That were begun.
        cpu_s: CPU seconds of the whole sweep.
        gone_on: Share of the trials that went on from each of the first three rungs (1, 3, 9).
        curve: Regret at each hundredth of the budget.
    """

    regret: tuple[float, ...]
    to_best_percent: float
    in_best: bool
    trials: int
    cpu_s: float
    gone_on: tuple[float, ...]
    curve: tuple[float, ...]


def run(name: str, sampler: Named, scheduler: Named, seed: int) -> Run:
    """Run one sweep in memory until its budget of steps is used."""
    task = table(name)
    spec = task.spec()
    budget = TRAININGS * task.steps
    search = replace(spec.search, sampler=sampler, scheduler=scheduler, trials=budget, seed=seed)
    return judged(name, replace(spec, search=search))


def judged(name: str, spec: SweepSpec) -> Run:
    """Run a sweep on a table until its budget of steps is used."""
    task = table(name)
    budget = TRAININGS * task.steps
    shown: list[float] = []

    def until(trial: int, evaluation: Evaluation, steps: int) -> bool:
        del trial, steps
        shown.append(min(evaluation.scalars["loss"], shown[-1] if shown else float("inf")))
        return len(shown) >= budget

    began = time.process_time()
    found = simulate(spec, WORKERS, until, task)
    cpu_s = time.process_time() - began
    incumbent = np.array(shown + shown[-1:] * (budget - len(shown)))
    reached = incumbent <= np.quantile(task.best, 0.01)
    return Run(
        regret=tuple(float(task.regret(incumbent[int(budget * share) - 1])) for share in SHARES),
        to_best_percent=float(np.argmax(reached)) / task.steps if reached.any() else float("inf"),
        in_best=bool(incumbent[-1] <= np.quantile(task.best, 0.003)),
        trials=len(found.trials),
        cpu_s=cpu_s,
        gone_on=tuple(_gone_on([trial.step or 0 for trial in found.trials], rung) for rung in (1, 3, 9)),
        curve=tuple(float(task.regret(incumbent[budget * part // 100 - 1])) for part in range(1, 101)),
    )


def _gone_on(steps: Sequence[int], rung: int) -> float:
    there = sum(step >= rung for step in steps)
    return sum(step > rung for step in steps) / there if there else 0.0


def line(label: str, runs: Iterable[Run]) -> str:
    """Return the figures of some runs in one line: means, and medians with quartiles at a quarter and at the end."""
    found = list(runs)
    regret = " ".join(f"{statistics.fmean(run.regret[i] for run in found):.3f}" for i in range(len(SHARES)))
    gone_on = " ".join(f"{statistics.fmean(run.gone_on[i] for run in found):.0%}" for i in range(3))
    cpu_ms = sum(run.cpu_s for run in found) / sum(run.trials for run in found) * 1e3
    spread = ", ".join(_quartiles([run.regret[i] for run in found]) for i in (1, 3))
    return (
        f"{label:<34} {regret}  medians {spread}"
        f"  best 1 %: {statistics.median(run.to_best_percent for run in found):5.1f}"
        f"  best 0.3 %: {statistics.fmean(run.in_best for run in found):4.0%}"
        f"  go on from rungs 1, 3, 9: {gone_on}  {cpu_ms:.1f} ms"
    )


def _quartiles(values: Sequence[float]) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def wins(runs: Mapping[str, Sequence[Run]]) -> Iterable[str]:
    """Yield for the first contender against each other one how many of the paired runs it has won.

    Args:
        runs: By contender, each with the same tables and seeds in the same order.
    """
    first, *others = runs
    for other in others:
        pairs = list(zip(runs[first], runs[other], strict=True))
        for place, share in enumerate(SHARES):
            if share in (0.25, 1.0):
                won = sum(one.regret[place] < two.regret[place] for one, two in pairs)
                even = sum(one.regret[place] == two.regret[place] for one, two in pairs)
                yield f"{first} against {other} at {share:.0%}: {won} of {len(pairs)} won, {even} even"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure pairs of sampler and scheduler, written ``SAMPLER+SCHEDULER``, and methods by their name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.regret", description=__doc__)
    parser.add_argument("pairs", nargs="+", help="for instance freeze_thaw random+asha tpe+median")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", nargs="*", default=tables())
    parser.add_argument("--json", type=Path, help="write all runs to this file, for benchmarks.search.picture")
    given = parser.parse_args(arguments)
    found: dict[str, list[Run]] = {}
    print(f"{'regret at':<34} " + " ".join(f"{share:5.0%}" for share in SHARES))
    for pair in given.pairs:
        sampler, _, scheduler = pair.partition("+")
        scheduler = scheduler or (sampler if sampler in METHODS else "none")
        runs = found[pair] = []
        for name in given.tables:
            on_table = [run(name, Named(sampler), Named(scheduler), seed) for seed in range(given.seeds)]
            print(line(f"  {pair} {name}", on_table), flush=True)
            runs += on_table
        print(line(pair, runs), flush=True)
    for said in wins(found):
        print(said)
    if given.json:
        rows = [{"pair": pair, **asdict(one)} for pair, runs in found.items() for one in runs]
        given.json.write_text(json.dumps(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
