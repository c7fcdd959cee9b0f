"""A synthetic task over any search space: learning curves that cross, and noise.

Where a parameter stands between its bounds is a number from 0 to 1 (in the logarithm if it is
drawn there). Each has a best place, drawn from the task's name, and a weight; what a trial converges to
is the weighted squared distance from there. How fast it learns depends on the first number of the
space: far below its best place learning is slow, so that early values mislead. Loss falls as a power of
the steps, as measured learning curves do (Hestness et al., "Deep Learning Scaling is Predictable,
Empirically", 2017, arXiv 1712.00409).

The loss without noise is all of a trial's state. So a trial that is forked from another one goes on
from its loss: along its own curve if that leads lower, and rising to its own level if it does not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuner.backends.simulated.curves import Course
from tuner.domain.objective import Goal, Objective
from tuner.domain.seeds import derive
from tuner.domain.spec import Simulation, TrainSettings
from tuner.space import Categorical, Parameter, Space
from tuner.space.parameters import Params, ParamValue
from tuner.space.scaling import place

START = 1.0  # loss before the first step, above what the best parameters converge to
FLOOR = 0.05
_POWER = 1.2
_FAST, _SLOW = 0.01, 0.12  # share of a trial in which most is learned


@dataclass(frozen=True)
class _Target:
    """The place where one objective is best, and what each parameter counts."""

    best: Mapping[str, float]
    weight: Mapping[str, float]


class SyntheticCurves:
    """Curves of the synthetic task; see ``Curves``.

    Args:
        space: Of the parameters.
        objectives: Each gets a metric, with a best place of its own.
        train: How long a trial trains.
        settings: Noise, and seconds for a step.
    """

    def __init__(
        self, space: Space, objectives: Sequence[Objective], train: TrainSettings, settings: Simulation
    ) -> None:
        self._space = space
        self._goals = {objective.metric: objective.goal for objective in objectives}
        self._train = train
        self._settings = settings
        self._targets = {metric: _target(space, f"{settings.task}/{i}") for i, metric in enumerate(self._goals)}
        self._pace = next((p.name for p in space.parameters if not isinstance(p, Categorical)), "")

    def begin(self, params: Params, seed: int) -> Course:
        return self._course(params, seed, 0, dict.fromkeys(self._goals, START))

    def fork(self, donor: Course, step: int, params: Params, seed: int) -> Course:
        assert isinstance(donor, _Course)
        return self._course(params, seed, step, donor.losses(step))

    def _course(self, params: Params, seed: int, step: int, losses: Mapping[str, float]) -> _Course:
        places = {p.name: _place(p, params[p.name]) for p in self._space.parameters if p.name in params}
        levels = {metric: self._level(target, places) for metric, target in self._targets.items()}
        lag = 0.0
        if self._pace in places:
            first = next(iter(self._targets.values()))
            lag = max(0.0, first.best[self._pace] - places[self._pace])
        scale = self._train.end * (_FAST + (_SLOW - _FAST) * min(1.0, 2.0 * lag))
        return _Course(self._goals, levels, scale, seed, step, losses, self._settings)

    @staticmethod
    def _level(target: _Target, places: Mapping[str, float]) -> float:
        """Return the loss that parameters converge to."""
        return FLOOR + sum(target.weight[name] * (place - target.best[name]) ** 2 for name, place in places.items())


class _Course:
    def __init__(
        self,
        goals: Mapping[str, Goal],
        levels: Mapping[str, float],
        scale: float,
        seed: int,
        step: int,
        losses: Mapping[str, float],
        settings: Simulation,
    ) -> None:
        self._goals = goals
        self._levels = levels
        self._scale = scale
        self._seed = seed
        self._begins_at = step
        self._begins_with = losses
        self._settings = settings

    def losses(self, step: int) -> dict[str, float]:
        """Return each metric's loss without noise."""
        return {metric: self._loss(metric, step - self._begins_at) for metric in self._goals}

    def at(self, step: int) -> dict[str, float]:
        found = {}
        for metric, loss in self.losses(step).items():
            noise = 0.0
            if self._settings.noise:
                noise = random.Random(f"{self._seed}/{metric}/{step}").gauss(0.0, self._settings.noise)
            value = loss + noise if self._goals[metric] is Goal.MINIMIZE else 1.0 - loss - noise
            found[metric] = float(np.float32(value))
        return found

    def seconds(self, begin: int, end: int) -> float:
        return (end - begin) * self._settings.seconds_per_step

    def _loss(self, metric: str, steps: int) -> float:
        level, begins = self._levels[metric], self._begins_with[metric]
        if begins <= level:
            return level - (level - begins) * math.exp(-steps / self._scale)
        # The step of its own curve, from START down, at which it would have this loss.
        whole = max(START, begins) - level
        before = self._scale * ((whole / (begins - level)) ** (1.0 / _POWER) - 1.0)
        return float(level + whole * (1.0 + (before + steps) / self._scale) ** -_POWER)


def _target(space: Space, name: str) -> _Target:
    chance = random.Random(derive(0, "synthetic", name))
    best, weight = {}, {}
    for index, parameter in enumerate(space.parameters):
        best[parameter.name] = chance.uniform(0.25, 0.75)
        weight[parameter.name] = 0.6**index * 2.0
    return _Target(best, weight)


def _place(parameter: Parameter, value: ParamValue) -> float:
    """Return where a value stands between the bounds of its parameter, 0 to 1."""
    if isinstance(parameter, Categorical):
        at = list(parameter.choices).index(value)
        return at / max(1, len(parameter.choices) - 1)
    assert isinstance(value, (int, float))
    return place(parameter, value)
