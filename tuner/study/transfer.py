"""Finished trials of other sweeps as Optuna's, for samplers to learn from.

They are no trials of this study: they have no number in it, no run and no folder, are told to nobody
but the sampler, and are made anew, the same ones, whenever the study is opened.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tuner.config.sampler_options import sampler_kind
from tuner.domain.seeds import derive
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import FinishedTrial, Source
from tuner.errors import Infeasible
from tuner.space.conditions import Walk
from tuner.space.drawing import drawn, read_value
from tuner.space.parameters import Parameter, ParamValue
from tuner.study.constraints import constrain
from tuner.study.encoding import distribution, encoded

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def as_optuna_trials(sources: Iterable[Source], spec: SweepSpec, walk: Walk) -> tuple[list[FrozenTrial], list[str]]:
    """Translate finished trials into the sweep's space.

    A parameter that a trial did not have is drawn at random, so that it says nothing of it; one that
    this space does not have is passed over; a trial with a value that this space cannot hold, or
    without an objective or what a constraint is on, is left out.

    Args:
        sources: Finished trials, by where they come from.
        spec: The sweep.
        walk: Goes through its space.

    Returns:
        The trials, and for people a line on what was used and what was left out of each source.
    """
    found: list[FrozenTrial] = []
    lines: list[str] = []
    for source in sources:
        report = _Report(source)
        for trial in source.trials:
            chance = random.Random(derive(spec.search.seed, "earlier", source.name, report.seen))
            found += report.translate(trial, spec, walk, chance)
        lines.append(report.line())
    if found and not sampler_kind(spec.search.sampler.name).learns:
        lines.append(f"sampler {spec.search.sampler.name} learns nothing from earlier trials")
    for place, made in enumerate(found):
        made.number = made._trial_id = place - len(found)  # before all of the study's own
    return found, lines


class _Report:
    """What becomes of the trials of one source."""

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._notes = source.notes
        self.seen = 0
        self._used = 0
        self._left_out: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    def translate(self, trial: FinishedTrial, spec: SweepSpec, walk: Walk, chance: random.Random) -> list[FrozenTrial]:
        """Return the trial in the sweep's space, or nothing if it has no place there."""
        self.seen += 1
        wanted = (*(o.metric for o in spec.objectives), *(c.metric for c in spec.constraints))
        missing = [metric for metric in wanted if not math.isfinite(trial.values.get(metric, math.nan))]
        if missing:
            self._left_out[f"no value of {', '.join(missing)}"] += 1
            return []
        beyond = [constraint.violation(trial.values[constraint.metric]) for constraint in spec.constraints]
        if max(beyond, default=0.0) > 0 and not sampler_kind(spec.search.sampler.name).knows_constraints:
            self._left_out[f"breaks a constraint, of which {spec.search.sampler.name} knows nothing"] += 1
            return []
        chooser = _Chooser(trial.params, chance)
        try:
            params = walk(chooser)
        except Infeasible:
            self._left_out["infeasible in this space"] += 1
            return []
        if chooser.unfit:
            self._left_out[chooser.unfit] += 1
            return []
        if not chooser.taken and chooser.filled:
            self._left_out["no parameter in common"] += 1
            return []
        self._used += 1
        self._filled.update(chooser.filled.keys())  # of a mapping it would add the values
        self._unknown.update(name for name in trial.params if name not in params)
        return [_made(chooser, trial.values, spec)]

    def line(self) -> str:
        """Say it in one line."""
        parts = [f"from {self._name}: {self._used} of {self.seen} complete trials used", *self._notes]
        parts += [f"{count} left out ({why})" for why, count in self._left_out.most_common()]
        parts += _of("drawn at random if it was not there", self._filled)
        parts += _of("passed over, because this space has it not", self._unknown)
        return "; ".join(parts)


def _of(what: str, names: Mapping[str, int]) -> list[str]:
    return [f"{', '.join(sorted(names))}: {what}"] if names else []


class _Chooser:
    """Choose a finished trial's values, and at random what it did not have."""

    def __init__(self, given: Mapping[str, Any], chance: random.Random) -> None:
        self._given = given
        self._chance = chance
        self.unfit = ""
        self.taken: dict[str, Any] = {}
        self.filled: dict[str, Any] = {}
        self.parameters: list[Parameter] = []

    def __call__(self, parameter: Parameter) -> ParamValue:
        self.parameters.append(parameter)
        name = parameter.name
        if name in self._given:
            try:
                value = read_value(parameter, self._given[name])
            except ValueError:
                self.unfit = self.unfit or f"{name} is not among the values it has here"
            else:
                self.taken[name] = encoded(value, parameter)
                return value
        value = drawn(parameter, self._chance)
        self.filled[name] = encoded(value, parameter)
        return value


def _made(chooser: _Chooser, values: Mapping[str, float], spec: SweepSpec) -> FrozenTrial:
    import optuna

    made = optuna.trial.create_trial(
        params={**chooser.taken, **chooser.filled},
        distributions={parameter.name: distribution(parameter) for parameter in chooser.parameters},
        values=[values[objective.metric] for objective in spec.objectives],
    )
    constrain(made, spec.constraints, values)
    return made
