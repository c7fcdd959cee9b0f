"""How many steps a contender trains until it shows a value; ours, and Optuna's own pruners."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import optuna

from benchmarks.search.tasks import Task
from tuner.backends.simulated import Course, make_curves
from tuner.domain.objective import Objective
from tuner.domain.seeds import derive
from tuner.domain.spec import Named, SweepSpec
from tuner.domain.trial import Evaluation, TrialState
from tuner.space.conditions import walk
from tuner.study.encoding import suggest
from tuner.sweep.simulate import simulate

WORKERS = 4
REACTION_S = 0.1  # ours kill a trial from outside, which trains on until then; Optuna's pruners raise inside it


@dataclass(frozen=True)
class Reached:
    """Where random search ends on a seed.

    Attributes:
        loss: Of its best trial.
        steps: At which it had trained when that trial showed it.
    """

    loss: float
    steps: int


def random_search(task: Task, seed: int) -> Reached:
    """Return what random search at full budget reaches."""
    objective = task.spec.objectives[0]
    spec = task.run_with(Named("none"), seed, task.trials)
    found = simulate(spec, WORKERS)
    losses = [objective.goal.loss(t.values[objective.metric]) for t in found.trials if t.state is TrialState.COMPLETE]
    best = min(losses)
    # Trials beyond its last one are drawn meanwhile, which its budget does not have.
    return Reached(best, min(task.budget, until_shown(task, Named("none"), seed, best)))


def until_shown(task: Task, scheduler: Named, seed: int, loss: float) -> int:
    """Return the steps that a sweep of ours trains until a trial shows a loss; twice the budget if none does."""
    objective, budget = task.spec.objectives[0], task.budget
    reached: list[int] = []
    shown = _Shown(objective)

    def until(trial: int, evaluation: Evaluation, steps: int) -> bool:
        if shown.loss(trial, evaluation.scalars[objective.metric]) <= loss:
            reached.append(steps)
        return bool(reached) or steps >= budget

    every = task.spec.train.evaluate_every
    simulate(task.run_with(scheduler, seed, budget // every, REACTION_S), WORKERS, until)
    return reached[0] if reached and reached[0] <= budget else 2 * budget


def until_shown_by_optuna(task: Task, pruner: optuna.pruners.BasePruner, seed: int, loss: float) -> int:
    """Return the same of Optuna's loop with one of its pruners, on the same draws and curves."""
    spec = task.run_with(Named("none"), seed, task.trials)
    return _OptunaLoop(spec, pruner, task.budget).run(loss)


class _Shown:
    """What trials show so far, by the rule of the objective."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._values: dict[int, list[float]] = {}

    def loss(self, trial: int, value: float) -> float:
        """Return the loss that a trial shows with one more evaluation."""
        values = self._values.setdefault(trial, [])
        values.append(value)
        return self._objective.goal.loss(self._objective.of.value(values, self._objective.goal))


class _SameDraws(optuna.samplers.BaseSampler):
    """Draw at random what trial n of a sweep of ours with the same seed draws."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        del study, trial
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        del study, trial, search_space
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        sampler = optuna.samplers.RandomSampler(derive(self._seed, "sampler", trial.number, param_name))
        return sampler.sample_independent(study, trial, param_name, param_distribution)


@dataclass(order=True)
class _Next:
    """The next evaluation of a trial that runs, ordered by its time."""

    time: float
    order: int
    trial: Any
    course: Course
    step: int
    before: float  # when the last one was


class _OptunaLoop:
    """Optuna's ask, report, should_prune and tell, by several workers with a virtual clock."""

    def __init__(self, spec: SweepSpec, pruner: optuna.pruners.BasePruner, budget: int) -> None:
        self._spec = spec
        self._budget = budget
        self._curves = make_curves(spec)
        self._study = optuna.create_study(
            study_name=f"seed {spec.search.seed}",  # Hyperband draws its brackets from it
            direction=spec.objectives[0].goal.value,
            sampler=_SameDraws(spec.search.seed),
            pruner=pruner,
        )
        self._running: list[_Next] = []
        self._now = 0.0
        self._order = 0
        self._steps = 0  # up to the last evaluations of all trials

    def run(self, loss: float) -> int:
        for _ in range(WORKERS):
            self._ask()
        objective, last = self._spec.objectives[0], self._spec.train.max_steps
        shown = _Shown(objective)
        while self._trained() < self._budget:
            at = heapq.heappop(self._running)
            self._now = at.time
            value = at.course.at(at.step)[objective.metric]
            self._steps += at.step - self._step_before(at.step)
            if shown.loss(at.trial.number, value) <= loss:
                return self._trained()
            at.trial.report(value, at.step)
            if at.step == last:
                self._study.tell(at.trial, value)
                self._ask()
            elif at.trial.should_prune():
                self._study.tell(at.trial, state=optuna.trial.TrialState.PRUNED)
                self._ask()
            else:
                self._plan(at.trial, at.course, at.step)
        return 2 * self._budget

    def _ask(self) -> None:
        trial = self._study.ask()
        params = walk(self._spec.space, lambda parameter: suggest(trial, parameter, plain=False))
        self._plan(trial, self._curves.begin(params, derive(self._spec.search.seed, "trial", trial.number)), 0)

    def _plan(self, trial: Any, course: Course, step: int) -> None:
        train = self._spec.train
        ahead = min(train.max_steps, step + train.evaluate_every)
        self._order += 1
        at = self._now + course.seconds(step, ahead)
        heapq.heappush(self._running, _Next(at, self._order, trial, course, ahead, self._now))

    def _step_before(self, step: int) -> int:
        every = self._spec.train.evaluate_every
        return (step - 1) // every * every

    def _trained(self) -> int:
        """Return all steps trained up to now, those of trials between two evaluations too."""
        between = 0.0
        for at in self._running:
            share = (self._now - at.before) / (at.time - at.before) if at.time > at.before else 0.0
            between += share * (at.step - self._step_before(at.step))
        return self._steps + int(between)
