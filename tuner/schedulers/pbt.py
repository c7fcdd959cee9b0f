"""Population based training, in generations.

Jaderberg et al., "Population Based Training of Neural Networks", 2017 (arXiv 1711.09846), with its
truncation selection: every ``every`` steps the members of a population are compared; each of the worst
share takes over the checkpoint of one of the best share (exploit) with parameters that are perturbed
or drawn again (explore).

A record does not change its meaning: the member that is replaced ends, and a new trial takes its
place. Members wait for each other at the end of a generation, without a process, so that a population
may be larger than the number of workers and what is decided depends on the history alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.domain.objective import comparable
from tuner.domain.pareto import order
from tuner.domain.seeds import derive
from tuner.domain.spec import SearchSettings, TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import InvalidInput, Problem
from tuner.schedulers.base import Exploit, Promotion, Scheduler
from tuner.schedulers.rungs import check_steps
from tuner.space import Categorical, Discrete, Float, Parameter, Space
from tuner.space.drawing import drawn, fitted
from tuner.space.parameters import Params, ParamValue
from tuner.text import suggestion

_POPULATION = 8


class PbtScheduler(Scheduler):
    """Train a population and let its worst members go on from its best; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        space: Of the parameters.
        seed: The sweep's.
        population: Trials that are trained side by side, at least 2.
        every: Global steps of a generation, or None for a tenth of a trial.
        quantile: Share of the population that is replaced, above 0 and at most 0.5.
        resample: Probability of drawing a parameter again instead of perturbing it.
        perturb: Names of the parameters that change. They must not change a variable's shape. None
            for all that are floats.
        rank: ``first`` or ``nondominated``: how members with several objectives are compared.

    Raises:
        InvalidInput: An option is out of its range, or there is nothing to perturb.
    """

    uses_rungs = True
    goes_with_repeats = False
    needs_listed_parameters = True
    changes_parameters = True

    @classmethod
    def check(cls, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:
        yield from super().check(options, train)
        yield from check_steps("every", options, train)

    @classmethod
    def hints(cls, search: SearchSettings) -> Iterator[str]:
        population = int(search.scheduler.options.get("population", _POPULATION))
        if search.trials <= population:
            yield (
                f"pbt trains a population of {population}, and {search.trials} trials leave none for copies of the "
                "best, each of which is a trial: give more trials, or {name: pbt, population: 4}"
            )

    def __init__(
        self,
        train: TrainSettings,
        space: Space,
        seed: int,
        population: int = _POPULATION,
        every: int | None = None,
        quantile: float = 0.25,
        resample: float = 0.25,
        perturb: Sequence[str] | None = None,
        rank: str = "first",
    ) -> None:
        grid, self._max_steps = train.bounds()
        self._every = math.ceil((every or self._max_steps / 10) / grid) * grid
        self._seed = seed
        self._size = population
        self._quantile = quantile
        self._resample = resample
        self._perturbed = _perturbed(space, perturb)
        _check(population, quantile, resample)
        self._params: dict[int, Params] = {}
        self._slots: list[list[int]] = []  # trials that followed each other in each place of the population
        self._begun_at: dict[int, int] = {}
        self._rank = rank
        self._losses: dict[int, dict[int, tuple[float, ...]]] = {}
        self._paused: dict[int, int] = {}  # trial to the global step at which it waits
        self._saved: dict[int, int] = {}  # trial to the global step at which it has paused, or from which it goes on
        self._finished: set[int] = set()

    def on_begin(
        self,
        trial: int,
        params: Params,
        replaces: int | None = None,
        step: int = 0,
        memory: Mapping[str, Any] | None = None,
        repeat_of: int | None = None,
    ) -> None:
        del memory, repeat_of
        known = trial in self._params
        self._params[trial] = params
        if known:
            return
        self._begun_at[trial] = step
        place = next((slot for slot in self._slots if replaces in slot), None)
        if place is not None:
            place.append(trial)
            return
        if len(self._slots) == self._size:
            self._slots = []  # the population before is done: wants_new_trial() saw to that
        self._slots.append([trial])

    def planned_steps(self, trials: int) -> int | None:
        generations = math.ceil(self._max_steps / self._every)
        replaced = min(math.ceil(self._size * self._quantile), self._size // 2) * (generations - 1)
        whole, others = divmod(trials, self._size + replaced)  # one that replaces another goes on from where that was
        return (whole * self._size + min(others, self._size)) * self._max_steps

    def wants_new_trial(self) -> bool:
        return len(self._slots) < self._size or all(slot[-1] in self._finished for slot in self._slots)

    def next_stop(self, trial: int, step: int) -> int | None:
        self._paused.pop(trial, None)
        self._save(trial, step)
        stop = (step // self._every + 1) * self._every
        return stop if stop < self._max_steps else None

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        self._losses.setdefault(trial, {}).setdefault(step, comparable(losses))
        ends = step % self._every == 0 and self._begun_at.get(trial, 0) < step < self._max_steps
        return Decision.PAUSE if ends else Decision.CONTINUE

    def on_finished(self, trial: int, state: TrialState) -> None:
        self._paused.pop(trial, None)
        if state.is_finished:
            self._finished.add(trial)
        elif state is TrialState.PAUSED and self._losses.get(trial):
            self._paused[trial] = max(self._losses[trial])
            self._save(trial, self._paused[trial])

    def _save(self, trial: int, step: int) -> None:
        self._saved[trial] = max(step, self._saved.get(trial, 0))

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        for step, losses in curve.items():
            self.report(trial, step, losses)
        self.on_finished(trial, state)

    def next_resume(self, may_begin: bool) -> Promotion | Exploit | None:
        if not self._paused or (len(self._slots) < self._size and may_begin):
            return None
        step = min(self._paused.values())
        members = [self._member(slot, step) for slot in self._slots]
        # One that has shown its value and still runs may have its checkpoint on another machine.
        if not all(self._saved.get(trial, 0) >= step or trial in self._finished for trial in members):
            return None
        replaced = self._replaced(members, step) if may_begin else {}
        waiting = [trial for trial, at in self._paused.items() if at == step]
        trial = min(waiting, key=lambda trial: (trial not in replaced, trial))
        if trial not in replaced:
            return Promotion(trial)
        chance = random.Random(derive(self._seed, "pbt", trial, step))
        donor = chance.choice(replaced[trial])
        return Exploit(trial, donor, step, self._explored(self._params[donor], chance))

    def _member(self, slot: Sequence[int], step: int) -> int:
        """Return who was in a place of the population when a generation ended."""
        return [trial for trial in slot if self._begun_at[trial] < step or trial == slot[0]][-1]

    def _replaced(self, members: Sequence[int], step: int) -> dict[int, list[int]]:
        """Return the worst share of the members, each with the best share: its possible donors."""
        there = {trial: self._losses[trial][step] for trial in members if step in self._losses.get(trial, {})}
        ranked = order(there, self._rank)
        count = min(math.ceil(len(ranked) * self._quantile), len(ranked) // 2)
        return dict.fromkeys(ranked[len(ranked) - count :], ranked[:count]) if count else {}

    def _explored(self, params: Params, chance: random.Random) -> dict[str, ParamValue]:
        explored = dict(params)
        for parameter in self._perturbed:
            if parameter.name in explored:
                again = chance.random() < self._resample
                value = explored[parameter.name]
                explored[parameter.name] = drawn(parameter, chance) if again else _moved(parameter, value, chance)
        return explored


def _check(population: int, quantile: float, resample: float) -> None:
    where = "search.scheduler"
    if population < 2:
        raise InvalidInput(f"{where}.population", f"is {population}, expected at least 2")
    if not 0 < quantile <= 0.5:
        raise InvalidInput(f"{where}.quantile", f"is {quantile}, expected above 0 and at most 0.5")
    if not 0 <= resample <= 1:
        raise InvalidInput(f"{where}.resample", f"is {resample}, expected 0 to 1")


def _perturbed(space: Space, names: Sequence[str] | None) -> list[Parameter]:
    known = {parameter.name: parameter for parameter in space.parameters}
    if names is None:
        found: list[Parameter] = [p for p in space.parameters if isinstance(p, Float)]
    else:
        unknown = [name for name in names if name not in known]
        if unknown:
            said = f"there is no parameter {unknown[0]!r}; expected some of {', '.join(known)}"
            raise InvalidInput("search.scheduler.perturb", [Problem("", said, suggestion(unknown[0], [*known]))])
        found = [known[name] for name in names]
    if not found:
        raise InvalidInput("search.scheduler.perturb", "no parameter is a float; name those that pbt may change")
    return found


def _moved(parameter: Parameter, value: ParamValue, chance: random.Random) -> ParamValue:
    """Return a value beside ``value``: times 0.8 or 1.2, or a step away; of a list the one before or behind."""
    if isinstance(parameter, (Categorical, Discrete)):
        listed = _listed(parameter)
        at = listed.index(value) + chance.choice((-1, 1))
        return listed[min(max(at, 0), len(listed) - 1)]
    assert isinstance(value, (int, float))
    factor = chance.choice((0.8, 1.2))
    moved = fitted(parameter, value * factor)
    if moved != value:
        return moved
    step = parameter.step or (parameter.high - parameter.low) / 5  # a fifth of a small number is no step, of 0 nothing
    return fitted(parameter, value + math.copysign(step, factor - 1.0))


def _listed(parameter: Categorical | Discrete) -> list[ParamValue]:
    return list(parameter.choices if isinstance(parameter, Categorical) else parameter.values)
