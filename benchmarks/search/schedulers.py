"""Training steps until a good model: our schedulers, random search, and Optuna's own pruners.

In one run, on the same spaces, draws and curves: random search trains all its trials to the end; each
other contender trains until one of its trials shows the value that random search ends with. Steps
are counted over all trials, those that run and those behind an evaluation too; a seed that does not
get there within the steps of random search counts twice these.

Behind it the same schedulers with hundreds of workers, some of which are slow: idle time, and steps
spent on trials that were not worth it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import optuna

from benchmarks.result import Result, Row, Spread
from benchmarks.search.steps import REACTION_S, WORKERS, Reached, random_search, until_shown, until_shown_by_optuna
from benchmarks.search.stragglers import stragglers
from benchmarks.search.tasks import Task, tasks
from tuner.domain.spec import Named

OURS = ("asha", "asha_stopping", "hyperband", "pbt", "median")
Pruner = Callable[[Task], optuna.pruners.BasePruner]


def run(quick: bool) -> Result:
    """Compare schedulers on three tasks, then with many workers."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seeds = range(20 if quick else 40)
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    notes = [
        f"steps: trained by all trials, {WORKERS} at a time, until one shows the value with which random search at "
        f"full budget ends; median (least to most) of {len(seeds)} seeds; a seed that does not get there within "
        "random search's steps counts twice these",
        "times fewer: random search's whole budget by the median; its best trial shows that value earlier, at the "
        "steps of its own row, but nobody knows before its end that it is the best",
        f"ours kill a trial from outside: {REACTION_S:g} s of training on are counted for each; Optuna's pruners raise "
        "inside it, for nothing",
        "Optuna's pruners with their own reduction factors (4 and 3) and the same first rung as ours",
    ]
    for task in tasks():
        found = _task(task, seeds)
        rows += _rows(task, found)
        ratios |= _ratios(task, found)
        notes.append(f"{task.name}: {task.about}; {task.trials} trials of random search")
        missed = statistics.median(found["asha"]) > task.budget
        if missed:
            notes.append(
                f"{task.name}: promotion mostly does not get there: the best settings show themselves late, or lie "
                "within the noise of one evaluation, so that the first rungs give them up"
            )
        if task.spec.simulation is not None and task.spec.simulation.curves:
            notes.append(f"{task.name}: no pbt: recorded curves do not say what changed parameters would do midway")
    rows += stragglers(workers=100, trials=1000) if quick else stragglers(workers=500, trials=5000)
    return Result(rows, ratios, notes)


def optunas() -> dict[str, Pruner]:
    """Return Optuna's pruners by the names of their ratios."""
    pruners = optuna.pruners
    return {
        "optuna_sha": lambda task: pruners.SuccessiveHalvingPruner(min_resource=task.spec.train.evaluate_every),
        "optuna_hyperband": lambda task: pruners.HyperbandPruner(
            min_resource=task.spec.train.evaluate_every, max_resource=task.spec.train.max_steps
        ),
    }


def _task(task: Task, seeds: range) -> dict[str, list[int]]:
    """Return the steps of each contender, one for each seed."""
    found: dict[str, list[int]] = {"random": []}
    simulation = task.spec.simulation
    ours = [name for name in OURS if name != "pbt" or (simulation is not None and not simulation.curves)]
    for seed in seeds:
        reached: Reached = random_search(task, seed)
        found["random"].append(reached.steps)
        for name in ours:
            found.setdefault(name, []).append(until_shown(task, Named(name), seed, reached.loss))
        for name, pruner in optunas().items():
            found.setdefault(name, []).append(until_shown_by_optuna(task, pruner(task), seed, reached.loss))
    return found


def _rows(task: Task, found: dict[str, list[int]]) -> list[Row]:
    group = f"{task.name}: steps until random search's best (its budget: {task.budget:,})"
    rows = []
    for name, steps in found.items():
        missed = sum(count > task.budget for count in steps)
        figures = {
            "steps": Spread.of(steps),
            "times fewer": task.budget / statistics.median(steps),
            "never got there": f"{missed} of {len(steps)}",
        }
        rows.append(Row(name, figures, group))
    return rows


def _ratios(task: Task, found: dict[str, list[int]]) -> dict[str, float]:
    medians = {name: statistics.median(steps) for name, steps in found.items()}
    ratios = {}
    for name in OURS:
        if name in medians:
            ratios[f"random/{name}/{task.name}"] = task.budget / medians[name]
            for other in optunas():
                ratios[f"{other}/{name}/{task.name}"] = medians[other] / medians[name]
    return ratios
