"""Sweeps of few and of many trials, by one worker and by many, on made-up tasks: ``python -m benchmarks.search.sizes``.

What a default has to be safe for. Each task has from two to six parameters, a surface of what trials come to, and a way
in which their losses come down to it. A line for each size and contender has the mean regret of the best complete
trial, (its true end - best known) / (median of random ones - best known), with the standard error of its difference to
the first contender's, and the evaluations of all trials.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from benchmarks.search.regret import pair_of
from benchmarks.search.tables import TableCourse
from tuner.domain.objective import Objective
from tuner.domain.seeds import derive
from tuner.domain.spec import SearchSettings, Simulation, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.space import Float, Space
from tuner.space.parameters import Params
from tuner.sweep.simulate import simulate

EVALUATIONS = 10
SIZES = ((5, 1), (12, 2), (20, 4), (40, 4), (40, 64), (100, 4), (100, 16))  # trials and workers
SURFACES = (("slopes", 2), ("ripples", 3), ("peaks", 4), ("slopes", 5), ("ripples", 6), ("peaks", 3))  # parameters
COURSES = ("alike", "fast or slow", "crossing", "late")


@dataclass(frozen=True)
class MadeUpTask:
    """A task; see ``Curves`` of ``tuner.backends.simulated``.

    Attributes:
        surface: What trials come to, by their parameters.
        size: Number of parameters.
        course: How losses come down: with one rate; with a rate that is a parameter's; so that what ends well begins
            badly; or from a height that is a parameter's.
    """

    surface: str
    size: int
    course: str

    def end(self, at: Any) -> float:
        """Return what a trial comes to, by its parameters from 0 to 1."""
        best, weights, peaks, heights = self._shape
        if self.surface == "slopes":
            return float(weights @ np.abs(at - best))
        if self.surface == "ripples":
            return float(2.0 * weights @ (at - best) ** 2 + 0.05 * np.sin(9.0 * at + 6.0 * peaks[0]).mean())
        return 1.0 - max(h * math.exp(-8.0 * ((at - peak) ** 2).sum()) for peak, h in zip(peaks, heights, strict=True))

    @cached_property
    def _shape(self) -> tuple[Any, Any, Any, Any]:
        chance = np.random.default_rng(derive(0, "shape", self.surface, self.size))
        weights = np.exp(chance.normal(size=self.size))
        return chance.random(self.size), weights / weights.sum(), chance.random((6, self.size)), chance.random(6)

    @cached_property
    def reference(self) -> tuple[float, float]:
        """The best and the median end of 3,000 trials at random."""
        chance = np.random.default_rng(derive(0, "reference"))
        ends = [self.end(chance.random(self.size)) for _ in range(3000)]
        return min(ends), statistics.median(ends)

    def begin(self, params: Params, seed: int) -> TableCourse:
        at, chance = self.place(params), np.random.default_rng(seed)
        end, past = self.end(at), np.arange(1, EVALUATIONS + 1) / EVALUATIONS
        above = {
            "alike": 0.8 * np.exp(-4.0 * past),
            "fast or slow": 0.8 * np.exp(-(2.0 + 8.0 * at[0]) * past),
            "crossing": 1.2 * (1.0 - end) * np.exp(-3.0 * past) + 0.3 * at[-1] * np.exp(-6.0 * past),
            "late": (1.0 - 0.9 * at[0]) * np.exp(-3.0 * past),
        }[self.course]
        return TableCourse(end + above + 0.01 * chance.standard_normal(EVALUATIONS))

    def place(self, params: Params) -> Any:
        """Return parameters as numbers from 0 to 1."""
        return np.array([float(params[f"p{index}"]) for index in range(self.size)])  # type: ignore[arg-type]

    def fork(self, donor: TableCourse, step: int, params: Params, seed: int) -> TableCourse:
        del donor, step, params, seed
        raise ValueError("made-up curves do not say how a trial goes on from another one's checkpoint")


def run(task: MadeUpTask, pair: str, trials: int, workers: int, seed: int) -> tuple[float, int]:
    """Return the regret of the best complete trial of one sweep, and the evaluations of all its trials."""
    sampler, scheduler = pair_of(pair)
    spec = SweepSpec(
        name="sizes",
        objectives=(Objective("loss"),),
        space=Space(tuple(Float(f"p{index}", 0.0, 1.0) for index in range(task.size))),
        train=TrainSettings(EVALUATIONS, 1),
        search=replace(SearchSettings(), sampler=sampler, scheduler=scheduler, trials=trials, seed=seed),
        simulation=Simulation(task="table", record=False),
    )
    found = simulate(spec, workers, None, task)
    complete = (trial for trial in found.trials if trial.state is TrialState.COMPLETE)
    chosen = min(complete, key=lambda trial: trial.values["loss"])
    best, median = task.reference
    return (task.end(task.place(chosen.params)) - best) / (median - best), found.steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each size and contender."""
    parser = argparse.ArgumentParser(prog="benchmarks.search.sizes", description=__doc__)
    parser.add_argument("pairs", nargs="*", default=["freeze_thaw", "tpe+asha", "random+asha", "random+none"])
    parser.add_argument("--seeds", type=int, default=8)
    given = parser.parse_args(arguments)
    tasks = [MadeUpTask(surface, size, course) for (surface, size), course in product(SURFACES, COURSES)]
    for trials, workers in SIZES:
        first: list[float] = []
        for pair in given.pairs:
            found = [run(task, pair, trials, workers, seed) for task in tasks for seed in range(given.seeds)]
            regret = [regret for regret, _ in found]
            first = first or regret
            error = statistics.stdev(a - b for a, b in zip(first, regret, strict=True)) / len(regret) ** 0.5
            size = f"{trials:>4} trials, {workers:>2} workers"
            steps = statistics.fmean(steps for _, steps in found)
            said = f"regret {statistics.fmean(regret):.3f} ({error:.3f})  evaluations {steps:>6,.0f}"
            print(f"{size}  {pair:<14} {said}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
