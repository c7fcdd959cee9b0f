"""Which trial a free worker goes on with, or with which parameters it begins a new one.

A decision is a function of what all trials have shown, of which of them run, and of the seed; so a driver that
was restarted decides as an undisturbed one. Which trials go on is decided as by asynchronous successive halving
(see ``asha``). If none does, a new one begins where a model of the values at one rung expects the most improvement
on the best of them; the rung is the highest that enough trials have come to, as in Falkner, Klein and Hutter,
"BOHB: Robust and Efficient Hyperparameter Optimization at Scale", ICML 2018 (arXiv 1807.01774).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tuner.domain.seeds import derive
from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.gaussian_process import fit, prior
from tuner.schedulers.freeze_thaw.model import RungModel, Trial, comparable
from tuner.schedulers.rungs import Rung

Array = Any

INITIAL = 8  # trials that are spread over the space before any model
MOST_FITTED = 120  # values to which the model's hyperparameters are fitted at most
GROWTH = 0.25  # of the values, from one fit to the next
ITERATIONS = 15  # of a fit
SAMPLED = 150  # candidates that are drawn at random
GOOD = 5  # trials and candidates near which others are drawn
WIDTHS, CLOSE = (0.2, 0.1, 0.05), 4  # how near to good trials, and how many candidates at each of these widths
REFINED = 80  # candidates near the good ones of all of these


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
    """Hyperparameters of the model, as logarithms, and to how many values at which rung they were fitted."""

    theta: tuple[float, ...] = ()
    rung: int = 0
    count: int = 0


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
        known = self.trials[trial]
        known.running, known.waiting = False, True
        if known.last in self._rungs:
            self._rungs[known.last].stay(trial)

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
        return known.running and known.last == evaluation and evaluation in self._rungs

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
        if (promoted := self._promoted(current)) is not None:
            return promoted
        return self._next_new(chance, current) if may_begin else self._last(there)

    def _initial(self, index: int) -> Array:
        if self._first is None:
            from scipy.stats import qmc

            chance = np.random.default_rng(derive(self._seed, "freeze-thaw", "initial"))
            self._first = qmc.Sobol(max(1, self._cube.parameters), rng=chance).random(INITIAL)
        return self._first[index][: self._cube.parameters]

    def _promoted(self, current: int | None) -> GoOn | None:
        """Return the trial that successive halving lets go on, from the highest rung down."""
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

    def _last(self, there: Sequence[int]) -> GoOn | None:
        """Return the trial that trains on though no new one may begin: the best of those that came farthest.

        It is due if none has come to its end or runs.
        """
        known = {number: self.trials[number] for number in there if self.trials[number].curve}
        if not known or any(t.last >= self.end or (t.running and n not in there) for n, t in self._own()):
            return None
        farthest = min(known, key=lambda n: (-known[n].last, comparable(known[n].curve[known[n].last]), n))
        return GoOn(farthest, "no new trial may begin, and it came farthest")

    def _own(self) -> Iterator[tuple[int, Trial]]:
        """Yield the trials of this sweep."""
        return ((number, trial) for number, trial in self.trials.items() if number >= 0)

    def _next_new(self, chance: Any, current: int | None) -> NewTrial:
        """Return the trial of which the model expects most."""
        if not any(trial.curve for trial in self.trials.values()):
            return NewTrial(chance.random(self._cube.parameters), "drawn at random, as nothing is known yet")
        model = self._model(chance, current)
        point = self._best_new(model, chance)
        loss = model.expected(self._cube.features(point[None])[0])
        return NewTrial(point, f"{self._said(loss, model.rung)} expected")

    def _model(self, chance: Any, current: int | None) -> RungModel:
        """Return the model of what was seen, fitted anew if much has come since it was."""
        running = [number for number, trial in self.trials.items() if trial.running and number != current]
        model = RungModel(self._cube, self.trials, [*self._rungs, self.end], running)
        fitted = self.fit
        theta = np.array(fitted.theta) if fitted.theta else prior(self._cube.parameters)
        if model.rung != fitted.rung or model.count >= fitted.count * (1.0 + GROWTH):
            some = np.sort(chance.permutation(len(model.numbers))[:MOST_FITTED])
            theta = fit(model.seen.some(some), theta, ITERATIONS)
            self.fit = Fit(tuple(map(float, theta)), model.rung, model.count)
        model.condition(theta)
        return model

    def _best_new(self, model: RungModel, chance: Any) -> Array:
        """Return the point of which the model expects most, none that was begun."""
        drawn = [chance.random((SAMPLED, self._cube.parameters))]
        for number in model.best(GOOD):
            close = np.repeat(self.trials[number].point[None], CLOSE, axis=0)
            drawn += [self._cube.near(close, width, chance) for width in WIDTHS]
        points = np.concatenate(drawn)
        gains = self._gains(model, points)
        top = np.argsort(-gains, kind="stable")[:GOOD]
        close = self._cube.near(np.repeat(points[top], REFINED // GOOD, axis=0), 0.1, chance)
        points = np.concatenate([points[top], close])
        gains = np.concatenate([gains[top], self._gains(model, close)])
        return points[int(np.argmax(gains))]

    def _gains(self, model: RungModel, points: Array) -> Array:
        """Return the improvement that is expected of new points; of those that were begun, the least.

        To move a choice, a whole number or a parameter that is absent is often to move nothing: a copy of the best
        trial, of which much is expected, and nothing new comes.
        """
        features = self._cube.features(points)
        gains = model.improvement(features)
        begun = {np.round(trial.features, 9).tobytes() for trial in self.trials.values()}
        rounded: Array = np.round(features, 9)
        again = np.array([row.tobytes() in begun for row in rounded])
        return np.where(again, gains.min() - 1.0, gains)
