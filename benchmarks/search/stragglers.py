"""Schedulers with very many workers of which some are slow: who waits, and what is trained in vain."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.result import Row
from benchmarks.search.tasks import DATA
from tuner.backends.simulated import make_curves
from tuner.config import load_spec
from tuner.domain.seeds import derive
from tuner.domain.spec import Named, SearchSettings, SweepSpec
from tuner.space.parameters import Params
from tuner.sweep.simulate import Simulated, simulate

BEST = 0.1  # the share of trials that were worth training


def stragglers(workers: int, trials: int, schedulers: tuple[str, ...] = ()) -> list[Row]:
    """Return a row for each scheduler.

    Args:
        workers: At a time; a tenth of attempts takes five times as long, one in a hundred dies.
        trials: Of each sweep.
        schedulers: Names, or nothing for all.
    """
    spec = load_spec(DATA / "synthetic.yaml")
    assert spec.simulation is not None
    simulation = replace(
        spec.simulation, straggler_share=0.1, straggler_factor=5.0, failures=0.01, reaction_s=0.1, startup_s=1.0
    )
    group = f"{workers} workers, {trials:,} trials, a tenth of attempts five times as slow, one in a hundred dies"
    kinds = {
        "none": Named("none"),
        "median": Named("median"),
        "asha_stopping": Named("asha_stopping"),
        "asha": Named("asha"),
        "hyperband": Named("hyperband"),
        "pbt": Named("pbt", {"population": workers}),
    }
    rows = []
    for name in schedulers or tuple(kinds):
        search = replace(spec.search, scheduler=kinds[name], trials=trials, retries=10, max_consecutive_failures=trials)
        sweep = replace(spec, search=search, simulation=simulation)
        began = time.perf_counter()
        found = simulate(sweep, workers)
        rows.append(_row(name, sweep, found, workers, time.perf_counter() - began, group))
    return rows


def _row(name: str, spec: SweepSpec, found: Simulated, workers: int, seconds: float, group: str) -> Row:
    potential = {trial.number: _potential(spec, trial.number, trial.params) for trial in found.trials}
    ranked = sorted(potential, key=lambda number: (potential[number], number))
    best = set(ranked[: max(1, int(len(ranked) * BEST))])
    steps = {t.number: (t.step or 0) - int(t.tags.get("tuner.forked_at", 0)) for t in found.trials}
    total = sum(steps.values())
    shown = [min(trial.curve.values()) for trial in found.trials if trial.curve]
    return Row(
        name,
        {
            "idle time": f"{1 - found.busy_s / (found.elapsed_s * workers):.1%}",
            "steps on the other nine tenths": f"{1 - sum(steps[number] for number in best) / total:.1%}",
            "steps": total,
            "best error shown": min(shown),
            "simulated hours": found.elapsed_s / 3600,
            "took (s)": seconds,
        },
        group,
    )


def _potential(spec: SweepSpec, number: int, params: Params) -> float:
    """Return the error that parameters would reach at the end of a trial, without noise."""
    assert spec.simulation is not None
    still = replace(spec, simulation=replace(spec.simulation, noise=0.0), search=SearchSettings())
    course = make_curves(still).begin(params, derive(spec.search.seed, "trial", number))
    return course.at(spec.train.max_steps)[spec.objectives[0].metric]
