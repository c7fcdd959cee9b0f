"""Which trial a free worker goes on with, or with which parameters it begins a new one.

A decision is a function of what all trials have shown, of which of them run, and of the seed; so a driver that
was restarted decides as an undisturbed one. It has two parts, so that neither what is new nor what is promising is
ever left waiting for the other:

- Which stretch of the way the next steps are for: up to the first rung, from there to the next, ... to the end. Each
  has its share of all steps, ``NEW`` for the first and one for each other; the one that would have got least of its
  share, if a trial went it now, is next. So a long stretch is gone when its steps are there, not by the first who come.
  Its places are those of successive halving among the trials that were begun; the last one to the end is kept until all
  have come. A start counts as the steps that take as long; if those are about a first stretch, trials go on to the
  second rung.
- Which trial goes that stretch: of those that wait at its beginning and are among the best third that came there, the
  one that may come to most in the end by a model of all curves; on the first stretch, a new trial of which the model
  expects the most improvement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuner.domain.seeds import derive
from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.model import CurveModel, Fit, Trial, comparable
from tuner.schedulers.freeze_thaw.start_cost import StartCost
from tuner.schedulers.rungs import halving_places

Array = Any

INITIAL = 8  # trials that are spread over the space before any model
AT_RANDOM = 4.0  # over n: the probability that the n-th trial is drawn at random, in case that the model is misled
LEAST_AT_RANDOM = 0.33  # that probability at least
FARTHEST = 0.5  # of the others are drawn by what those that came farthest have shown there, alone
SHORT = 0.75  # times the way to the first rung: if a start takes longer, the second rung is the first
EARLY = 8  # times as long as the way to the second rung a full training must be for that
NEW = 2.0  # shares of the steps that take new trials to the first rung
BEST = 3  # one in so many of the trials at a rung may go on, one at least
HOPE = 0.5  # spreads by which a trial is taken to do better than is expected of it
SAMPLED = 200  # candidates that are drawn at random
GOOD = 5  # trials and candidates near which others are drawn
WIDTHS, CLOSE = (0.2, 0.1, 0.05, 0.02), 8  # how near to good trials, and how many candidates at each of these widths
REFINED = (0.1, 0.05, 0.02), 16  # how near to good candidates, in turn, and how many there each time


@dataclass(frozen=True)
class NewTrial:
    """A new trial with the parameters of a point of the cube.

    Attributes:
        why: It was chosen, for people.
        fits: The model's hyperparameters by which it was chosen, which ``Search.remember`` takes if it begins.
    """

    point: Array
    why: str
    fits: tuple[Fit, ...] = ()


@dataclass(frozen=True)
class GoOn:
    """A trial trains on.

    Attributes:
        why: It was chosen, for people.
    """

    trial: int
    why: str


Choice = NewTrial | GoOn | None


class Search:
    """Decide; see the module.

    Args:
        cube: Of the parameters.
        rungs: Numbers of the evaluations at which trials are compared, the last one at the end of a full training.
        least: Trials that train to their end, if so many begin.
        seed: The sweep's.
        said: Says a loss and the number of its evaluation in the words of the sweep.

    Attributes:
        trials: By number; those of earlier sweeps have negative ones.
        fits: The model's hyperparameters, by rung.
        start_cost: What the start of a trial takes, new or paused.
    """

    def __init__(
        self,
        cube: Cube,
        rungs: Sequence[int],
        least: int,
        seed: int,
        said: Callable[[float, int], str],
    ) -> None:
        self.trials: dict[int, Trial] = {}
        self.fits: tuple[Fit, ...] = ()
        self.start_cost = StartCost()
        self._cube = cube
        self._rungs = rungs
        self._least = least
        self._fitted_at = -1
        self._seed = seed
        self._said = said
        self._first: Array | None = None
        self._begun: set[bytes] = set()  # features of trials
        self._decided: tuple[object, Choice] | None = None

    def add(self, trial: int, point: Array) -> None:
        """Take that a trial exists; told again, that its parameters are these."""
        features = self._cube.features(point[None])[0]
        if trial < 0:  # a sweep that learns from one of the same seed would begin with the trials that it knows
            self._seed = derive(self._seed, "earlier", *point)
        known = self.trials.setdefault(trial, Trial(point, features))
        known.point, known.features = point, features
        self._begun.update(_rounded(features[None]))

    def remember(self, trial: int, fits: Sequence[Fit]) -> None:
        """Take the fits that stand since a trial began; the newest count."""
        if trial > self._fitted_at:
            self._fitted_at, self.fits = trial, tuple(fits)

    def see(self, trial: int, evaluation: int, loss: float) -> None:
        """Take an evaluation of a trial; the first value stands."""
        self.trials[trial].curve.setdefault(evaluation, loss)

    def resume(self, trial: int) -> None:
        """Take that a worker has a trial."""
        known = self.trials[trial]
        known.running, known.waiting, known.finished, known.failed = True, False, False, False

    def pause(self, trial: int) -> None:
        """Take that a trial waits."""
        known = self.trials[trial]
        known.running, known.waiting = False, True

    def suspend(self, trial: int) -> None:
        """Take that a trial neither runs nor may be chosen."""
        self.trials[trial].running = self.trials[trial].waiting = False

    def finish(self, trial: int, failed: bool) -> None:
        """Take that a trial will not run again."""
        self.suspend(trial)
        self.trials[trial].finished, self.trials[trial].failed = True, failed

    @property
    def rungs(self) -> Sequence[int]:
        """Those at which trials are compared now: without the first, unless it is known that a start is short."""
        start = self.start_cost.evaluations()
        is_short = start is not None and start < SHORT * self._rungs[0]
        is_early = len(self._rungs) > 2 and self._rungs[1] * EARLY <= self._rungs[-1]
        return self._rungs[1:] if is_early and not is_short else self._rungs

    def is_due(self, trial: int, evaluation: int) -> bool:
        """Whether it is to be decided, at an evaluation of a trial, if it goes on."""
        known = self.trials[trial]
        return known.running and known.last == evaluation and evaluation in self.rungs[:-1]

    def decide(self, may_begin: bool, current: int | None = None) -> Choice:
        """Return the trial to go on with, the new one to begin, or None if neither is due.

        Args:
            may_begin: Whether a new one may begin.
            current: A trial that runs and would go on without a pause, or None.
        """
        begun = sum(number >= 0 for number in self.trials)
        evaluations = sum(len(trial.curve) for _, trial in self._own())
        there = sorted(n for n, trial in self.trials.items() if trial.waiting or n == current)
        running = sorted(n for n, trial in self.trials.items() if trial.running and n != current)
        finished = sum(trial.finished for _, trial in self._own())
        start = self.start_cost.evaluations()
        state = (may_begin, begun, evaluations, finished, start, tuple(there), tuple(running))
        if self._decided is None or self._decided[0] != state:
            chance = np.random.default_rng(derive(self._seed, "freeze-thaw", begun, evaluations))
            self._decided = (state, self._decide(may_begin, there, running, begun, chance))
        return self._decided[1]

    def _decide(self, may_begin: bool, there: Sequence[int], running: Sequence[int], begun: int, chance: Any) -> Choice:
        spread = INITIAL - (len(self.trials) - begun)  # those of earlier sweeps count among them
        if may_begin and begun < spread:
            others = chance.random((SAMPLED, self._cube.parameters))  # in a small space, the first may have been begun
            return NewTrial(self._first_new([self._initial(begun), *others]), f"one of {spread} spread over the space")
        rungs = self.rungs
        lengths, start = np.diff([0, *rungs]), self.start_cost.evaluations() or 0.0
        shares = np.array([NEW, *[1.0] * (len(rungs) - 1)])
        went, places = self._went(rungs, running), halving_places(rungs, begun, self._least)
        all_came = not may_begin and all(trial.finished or number in there for number, trial in self._own())
        if all_came:
            order: Iterable[int] = range(len(rungs))
        else:
            order = np.argsort((went + 1) * (lengths + start) / shares, kind="stable")
            places = self._given(rungs, places, running)
        model = CurveModel(self._cube, self.trials, rungs, running)
        early = self._best_waiting(self._rungs[0], rungs[0], there)  # of the time when starts were taken to be short
        for stretch in order:
            found: Choice = None
            if stretch and went[stretch] < places[stretch]:
                found = self._thawed(model, rungs[stretch - 1], rungs[stretch], there)
            elif not stretch and early:
                found = self._go_on(early[0], self._rungs[0])
            elif not stretch and may_begin:
                found = self._next_new(model, chance)
            if found is not None:
                return found
        return self._last(there) if all_came else None

    def _given(self, rungs: Sequence[int], places: Sequence[int], running: Sequence[int]) -> list[int]:
        """Return how many of the places on each stretch are given while trials are still to come.

        The share of those that came, of these places; and none while more are on their way than came: what comes to a
        rung together is compared. The last place on the way to the end is for the best of all.
        """
        given = [places[0]]
        for before, rung, following, most in zip([0, *rungs], rungs, rungs[1:], places[1:], strict=False):
            came = sum(rung in trial.curve for _, trial in self._own())
            coming = sum(before <= self.trials[number].last < rung for number in running)
            given.append(min(most, -(-came * rung // following)) if came >= coming else 0)
        return [*given[:-1], min(given[-1], places[-1] - 1)]

    def _went(self, rungs: Sequence[int], running: Sequence[int]) -> Array:
        """Return how many trials went each stretch from rung to rung, those included that are on it."""
        went = np.zeros(len(rungs))
        for number, trial in self._own():
            come = sum(rung in trial.curve for rung in rungs)
            went[: come + (number in running) if come else 1] += 1
        return went

    def _best_waiting(self, step: int, following: int, there: Sequence[int]) -> list[int]:
        """Return of the best third that came to a rung those that wait before the following one, best first."""
        losses = {n: comparable(trial.curve[step]) for n, trial in self._own() if step in trial.curve}
        best = sorted(losses, key=lambda number: (losses[number], number))[: -(-len(losses) // BEST)]
        return [number for number in best if number in there and self.trials[number].last < following]

    def _thawed(self, model: CurveModel, step: int, following: int, there: Sequence[int]) -> GoOn | None:
        """Return the trial that goes on from a rung to the following one; None if none of those that may is there."""
        wait = [number for number in self._best_waiting(step, following, there) if model.knows(number)]
        if not wait:
            return None
        model.condition(self.fits)
        mean, spread = model.ends(wait)
        return self._go_on(wait[int(np.argmin(mean - HOPE * spread))], step)

    def _go_on(self, number: int, step: int) -> GoOn:
        return GoOn(number, f"among the best with {self._said(comparable(self.trials[number].curve[step]), step)}")

    def _initial(self, index: int) -> Array:
        if self._first is None:
            from scipy.stats import qmc

            chance = np.random.default_rng(derive(self._seed, "freeze-thaw", "initial"))
            self._first = qmc.Sobol(max(1, self._cube.parameters), rng=chance).random(INITIAL)
        return self._first[index][: self._cube.parameters]

    def _last(self, there: Sequence[int]) -> GoOn | None:
        """Return the best of those that came farthest; None if any has come to its end."""
        known = {number: self.trials[number] for number in there if self.trials[number].curve}
        if not known or any(trial.last >= self._rungs[-1] for _, trial in self._own()):
            return None
        farthest = min(known, key=lambda n: (-known[n].last, comparable(known[n].curve[known[n].last]), n))
        return GoOn(farthest, "no new trial may begin, and it came farthest")

    def _own(self) -> Iterator[tuple[int, Trial]]:
        """Yield the trials of this sweep."""
        return ((number, trial) for number, trial in self.trials.items() if number >= 0)

    def _next_new(self, model: CurveModel, chance: Any) -> NewTrial:
        """Return the trial of which the model expects most, once it is fitted to what has come; or one at random.

        Early values may say nothing: all on a plateau, say, which the model would search for its lowest place.
        """
        if not model.numbers:
            return self._at_random(chance, "as nothing is known yet")
        fits = model.fitted(self.fits, chance)
        if chance.random() < max(LEAST_AT_RANDOM, AT_RANDOM / len(self.trials)):
            return replace(self._at_random(chance, "in case that the model is misled"), fits=fits)
        model.condition(fits)
        if chance.random() < FARTHEST:
            model.look_at_farthest(chance)
        point = self._best_new(model, chance)
        loss, evaluation = model.expected(self._cube.features(point[None])[0])
        return NewTrial(point, f"{self._said(loss, evaluation)} expected", fits)

    def _at_random(self, chance: Any, why: str) -> NewTrial:
        point = self._first_new(chance.random((SAMPLED, self._cube.parameters)))
        return NewTrial(point, f"drawn at random, {why}")

    def _first_new(self, points: Sequence[Array]) -> Array:
        """Return the first of some points that was not begun, or the first."""
        return points[int(np.argmin(self._were_begun(self._cube.features(np.asarray(points)))))]

    def _best_new(self, model: CurveModel, chance: Any) -> Array:
        """Return the point of which the model expects most, none that was begun."""
        drawn = [chance.random((SAMPLED, self._cube.parameters))]
        for number in model.best(GOOD):
            close = np.repeat(self.trials[number].point[None], CLOSE, axis=0)
            drawn += [self._cube.near(close, width, chance) for width in WIDTHS]
        points = np.concatenate(drawn)
        gains = self._gains(model, points)
        widths, count = REFINED
        for width in widths:
            top = np.argsort(-gains, kind="stable")[:GOOD]
            close = self._cube.near(np.repeat(points[top], count, axis=0), width, chance)
            points = np.concatenate([points[top], close])
            gains = np.concatenate([gains[top], self._gains(model, close)])
        return points[int(np.argmax(gains))]

    def _gains(self, model: CurveModel, points: Array) -> Array:
        """Return the improvement that is expected of new points; of those that were begun, the least.

        To move a choice, a whole number or a parameter that is absent is often to move nothing: a copy of the best
        trial, of which much is expected, and nothing new comes.
        """
        features = self._cube.features(points)
        gains = model.improvement(features)
        return np.where(self._were_begun(features), gains.min() - 1.0, gains)

    def _were_begun(self, features: Array) -> Array:
        return np.array([row in self._begun for row in _rounded(features)])


def _rounded(features: Array) -> list[bytes]:
    """Return features, a row each, so that equal ones are found again."""
    rounded: Array = np.round(features, 9)
    return [row.tobytes() for row in rounded]
