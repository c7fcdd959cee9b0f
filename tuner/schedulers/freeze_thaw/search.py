"""Which trial a free worker goes on with, or with which parameters it begins a new one.

A decision is a function of what all trials have shown, of which of them run, and of the seed; so a driver that
was restarted decides as an undisturbed one. Some decisions follow the rule of asynchronous successive halving
(see ``asha``), which lets nothing starve that the model misjudges; the others go to where the model expects
the most improvement within a number of evaluations that is drawn at random, as Rakotoarison et al.,
"In-Context Freeze-Thaw Bayesian Optimization", 2024 (arXiv 2404.16795) do. A trial that runs is preferred,
because to exchange it for another one costs the time of a start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tuner.domain.seeds import derive
from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.model import RATIO, CurveModel, Trial, comparable
from tuner.schedulers.freeze_thaw.process import fit, prior
from tuner.schedulers.rungs import Rung

Array = Any

INITIAL = 8  # trials that are spread over the space before any model
RULE = 0.5  # probability of following successive halving
STAY = 1.0  # how many times better, as a logarithm, another trial must promise to be than the one that runs
AT_RANDOM = 0.25  # of the new trials that it asks for, the share that is drawn at random
MOST_FITTED = 160  # of which its hyperparameters are fitted to so many
LEAST = 10  # evaluations before the first fit
GROWTH = 0.15  # of the evaluations, from one fit to the next
ITERATIONS = 12  # of a fit
SAMPLED, CLOSE, REFINED = 200, 100, 80  # candidates: at random, near good trials, near good candidates
ROUNDS = 3  # of the latter
GOOD = 5  # trials and candidates near which others are drawn


@dataclass(frozen=True)
class NewTrial:
    """A new trial with the parameters of a point of the cube.

    Attributes:
        why: It was chosen, for people.
    """

    point: Array
    why: str


@dataclass(frozen=True)
class GoOn:
    """A trial trains on.

    Attributes:
        why: It was chosen, for people.
    """

    trial: int
    why: str


Choice = NewTrial | GoOn | None


@dataclass(frozen=True)
class Fit:
    """Hyperparameters of the model, as logarithms, and to how many evaluations they were fitted."""

    theta: tuple[float, ...] = ()
    evaluations: int = 0


class Search:
    """Decide; see the module.

    Args:
        cube: Of the parameters.
        evaluations: Of a trial that trains to its end.
        rungs: Of successive halving, in evaluations.
        seed: The sweep's.
        said: Says a loss and the number of its evaluation in the words of the sweep.

    Attributes:
        trials: By number; those of earlier sweeps have negative ones.
        fit: The model's hyperparameters. They change with a decision to begin a trial alone, which the trial
            keeps for drivers to come.
    """

    def __init__(
        self, cube: Cube, evaluations: int, rungs: Sequence[Rung], seed: int, said: Callable[[float, int], str]
    ) -> None:
        self.trials: dict[int, Trial] = {}
        self.fit = Fit()
        self._cube = cube
        self.end = evaluations
        self._fitted_at = -1
        self._rungs = {rung.step: rung for rung in rungs}
        self._seed = seed
        self._said = said
        self._first: Array | None = None
        self._decided: tuple[object, Choice] | None = None
        grid = {1, *self._rungs}
        while max(grid) < evaluations:
            grid.add(math.ceil(max(grid) * RATIO))
        self._grid = frozenset(grid)

    def add(self, trial: int, point: Array) -> None:
        """Take that a trial exists; told again, that its parameters are these."""
        features = self._cube.features(point[None])[0]
        known = self.trials.setdefault(trial, Trial(point, features))
        known.point, known.features = point, features

    def remember(self, trial: int, fit: Fit) -> None:
        """Take the fit that stands since a trial began; the newest counts."""
        if trial > self._fitted_at:
            self._fitted_at, self.fit = trial, fit

    def see(self, trial: int, evaluation: int, loss: float) -> None:
        """Take an evaluation of a trial; the first value stands."""
        self.trials[trial].curve.setdefault(evaluation, loss)
        if trial >= 0 and evaluation in self._rungs:
            self._rungs[evaluation].add(trial, [loss])
        self._go_on(trial, evaluation - 1)

    def resume(self, trial: int, evaluation: int) -> None:
        """Take that a worker has a trial, from an evaluation on."""
        known = self.trials[trial]
        known.running, known.waiting, known.failed = True, False, False
        self._go_on(trial, evaluation)

    def pause(self, trial: int) -> None:
        """Take that a trial waits."""
        self.trials[trial].running, self.trials[trial].waiting = False, True

    def suspend(self, trial: int) -> None:
        """Take that a trial neither runs nor may be chosen."""
        self.trials[trial].running = self.trials[trial].waiting = False

    def finish(self, trial: int, failed: bool) -> None:
        """Take that a trial will not run again."""
        self.suspend(trial)
        self.trials[trial].failed = failed
        if (rung := self._rungs.get(self.trials[trial].last)) is not None:
            rung.stay(trial)  # if it was to go on, a later driver does not see it

    def _go_on(self, trial: int, evaluation: int) -> None:
        for rung in self._rungs.values():
            if rung.step <= evaluation:
                rung.go_on(trial)

    def is_due(self, trial: int, evaluation: int) -> bool:
        """Whether it is to be decided, at an evaluation of a trial, if it goes on."""
        known = self.trials[trial]
        return known.running and known.last == evaluation < self.end and evaluation in self._grid

    def decide(self, may_begin: bool, current: int | None = None) -> Choice:
        """Return the trial to go on with, the new one to begin, or None if neither is due.

        Args:
            may_begin: Whether a new one may begin.
            current: A trial that runs and would go on without a pause, or None.
        """
        begun = sum(number >= 0 for number in self.trials)
        evaluations = sum(len(trial.curve) for number, trial in self.trials.items() if number >= 0)
        there = sorted(n for n, trial in self.trials.items() if trial.waiting or n == current)
        state = (may_begin, begun, evaluations, tuple(there))
        if self._decided is None or self._decided[0] != state:
            chance = np.random.default_rng(derive(self._seed, "freeze-thaw", begun, evaluations))
            self._decided = (state, self._decide(may_begin, there, current, begun, chance))
        return self._decided[1]

    def _decide(self, may_begin: bool, there: Sequence[int], current: int | None, begun: int, chance: Any) -> Choice:
        if may_begin and begun < INITIAL:
            return NewTrial(self._initial(begun), f"one of {INITIAL} spread over the space")
        if not any(trial.curve for trial in self.trials.values()):
            return self._at_random(chance) if may_begin else None
        if not may_begin:
            return self._promoted(current) or self._last(there, current)
        if chance.random() >= RULE:
            return self._most_promising(chance, there, current)
        return self._promoted(current) or self._next_new(chance, current)

    def _at_random(self, chance: Any) -> NewTrial:
        return NewTrial(chance.random(self._cube.parameters), "drawn at random, so that nothing is overlooked")

    def _next_new(self, chance: Any, current: int | None) -> NewTrial:
        """Return the trial that begins if successive halving lets none go on."""
        if chance.random() < AT_RANDOM:
            return self._at_random(chance)
        model = self._model(chance, current, refit=True)
        return self._new(model, self._best_new(model, chance))

    def _new(self, model: CurveModel, point: Array) -> NewTrial:
        features = self._cube.features(point[None])[0]
        return NewTrial(point, f"{self._said(model.expected(features, self.end), self.end)} expected")

    def _initial(self, index: int) -> Array:
        if self._first is None:
            from scipy.stats import qmc

            chance = np.random.default_rng(derive(self._seed, "freeze-thaw", "initial"))
            self._first = qmc.Sobol(max(1, self._cube.parameters), rng=chance).random(INITIAL)
        return self._first[index][: self._cube.parameters]

    def _promoted(self, current: int | None) -> GoOn | None:
        """Return the trial that successive halving lets go on, from the highest rung down."""
        if current is not None and self.trials[current].last not in self._rungs:
            return GoOn(current, "on its way to its next rung")
        ends = [*sorted(self._rungs), self.end]
        for step, ahead in reversed(list(pairwise(ends))):
            rung = self._rungs[step]
            stands = current if current is not None and self.trials[current].last == step else None
            if not rung.has_place(beside=stands):
                continue
            for number in rung.best():
                trial = self.trials[number]
                if (trial.waiting or number == current) and trial.last < ahead:
                    return GoOn(number, f"among the best with {self._said(rung.loss(number), step)}")
        return None

    def _last(self, there: Sequence[int], current: int | None) -> GoOn | None:
        """Return a trial to train on if no new one may begin: one that may well end best of all.

        If none has come to its end or does, it is the one that came farthest, of these the best.
        """
        known = {number: self.trials[number] for number in there if self.trials[number].curve}
        if not known:
            return None
        if not any(t.last >= self.end or (t.running and n not in there) for n, t in self.trials.items() if n >= 0):
            farthest = min(known, key=lambda n: (-known[n].last, comparable(known[n].curve[known[n].last]), n))
            return GoOn(farthest, "no new trial may begin, and it came farthest")
        hopeful = self._model(None, current).hopeful(list(known))
        return None if hopeful is None else GoOn(hopeful, "no new trial may begin, and it may well end best")

    def _most_promising(self, chance: Any, there: Sequence[int], current: int | None) -> NewTrial | GoOn:
        """Return the trial, or the new one, that the model expects most of within a random number of evaluations."""
        model = self._model(chance, current)
        horizon = round(math.exp(chance.uniform(0.0, math.log(self.end))))
        point = self._best_new(model, chance)
        best = float(model.improvement(self._cube.features(point[None]), horizon)[0])
        known = [number for number in there if number in model.row]
        if known:
            ahead = np.array([min(self.end, self.trials[number].last + horizon) for number in known])
            features = np.stack([self.trials[number].features for number in known])
            gains = model.improvement(features, ahead, np.array([model.row[number] for number in known]))
            gains += STAY * np.array([number == current for number in known])
            place = int(np.argmax(gains))
            if gains[place] >= best:
                loss = model.expected(features[place], ahead[place], model.row[known[place]])
                return GoOn(known[place], f"{self._said(loss, int(ahead[place]))} expected")
        if self._is_stale:
            model = self._model(chance, current, refit=True)
            point = self._best_new(model, chance)
        return self._new(model, point)

    @property
    def _is_stale(self) -> bool:
        """Whether the model is to be fitted to what came since it was."""
        seen = sum(len(trial.curve) for trial in self.trials.values())
        return seen >= max(LEAST, self.fit.evaluations * (1.0 + GROWTH))

    def _best_new(self, model: CurveModel, chance: Any) -> Array:
        """Return the point from which the model expects most at the end of its training, none that was begun."""
        drawn = [chance.random((SAMPLED, self._cube.parameters))]
        for number in model.best(GOOD):
            width = 0.1 * 10.0 ** chance.uniform(-1.0, 0.3)
            close = np.repeat(self.trials[number].point[None], CLOSE // GOOD, axis=0)
            drawn.append(self._cube.near(close, width, chance))
        points = np.concatenate(drawn)
        gains = self._gains(model, points)
        for turn in range(ROUNDS):
            top = np.argsort(-gains, kind="stable")[:GOOD]
            close = self._cube.near(np.repeat(points[top], REFINED // GOOD, axis=0), 0.1 * 0.5**turn, chance)
            points = np.concatenate([points[top], close])
            gains = np.concatenate([gains[top], self._gains(model, close)])
        return points[int(np.argmax(gains))]

    def _gains(self, model: CurveModel, points: Array) -> Array:
        """Return the improvement at the end that is expected of new points; of those that were begun, the least.

        To move a choice, a whole number or a parameter that is absent is often to move nothing: a copy of the best
        trial, of which much is expected, and nothing new comes.
        """
        features = self._cube.features(points)
        gains = model.improvement(features, self.end)
        begun = {np.round(trial.features, 9).tobytes() for trial in self.trials.values()}
        rounded: Array = np.round(features, 9)
        again = np.array([row.tobytes() in begun for row in rounded])
        return np.where(again, gains.min() - 1.0, gains)

    def _model(self, chance: Any, current: int | None, refit: bool = False) -> CurveModel:
        """Return the model of all that was seen, of which trials that run are expected to show more."""
        model = CurveModel(self._cube, self.trials, self.end)
        theta = np.array(self.fit.theta) if self.fit.theta else prior(self._cube.parameters)[0]
        if refit and self._is_stale:
            some = np.sort(chance.permutation(len(model.seen.values))[:MOST_FITTED])
            theta = fit(model.seen.some(some), theta, ITERATIONS)
            self.fit = Fit(tuple(map(float, theta)), sum(len(trial.curve) for trial in self.trials.values()))
        running = {n: t for n, t in self.trials.items() if t.running and n != current}
        model.condition(theta, running)
        return model
