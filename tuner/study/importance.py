"""Which parameters matter, by Optuna's evaluators; by rank correlation if trials are too few for them."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.domain.objective import Objective
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.study.encoding import distributions, encode

FEW = 8  # complete trials below which ranks are compared
_LEAST = 4

_FOREST = 20_000  # values of parameters up to which a forest is grown


@dataclass(frozen=True)
class Importances:
    """Each parameter's share of the objective's variation (they sum to 1), and how they were found."""

    shares: Mapping[str, float]
    method: str


def too_few(spec: SweepSpec, trials: Sequence[TrialRecord], objective: Objective) -> str:
    """Return why the trials cannot tell yet what mattered, with how many it takes; an empty string if they can."""
    complete = _complete(trials, objective)
    if len(complete) < _LEAST:
        there = f"there {'is' if len(complete) == 1 else 'are'} {len(complete)}"
        return f"it takes {_LEAST} complete trials with a number as {objective.metric}, and {there}"
    if len({t.values[objective.metric] for t in complete}) < 2:
        return f"the {objective.metric} of all {len(complete)} complete trials is the same"
    if not spec.space.parameters:
        return "the search space file lists no parameters"
    return "" if _varying(spec, complete) else f"no parameter has two values in the {len(complete)} complete trials"


def importances(spec: SweepSpec, trials: Sequence[TrialRecord], objective: Objective) -> Importances | None:
    """Return the importance of each parameter that varies in the complete trials, or None if it cannot be told.

    If a trial lacks a conditional parameter, the middle one of the values of others stands for it, so that its
    share is what it explains among the trials that have it; one that fewer than four trials have is left out.
    """
    if too_few(spec, trials, objective):
        return None
    complete = _complete(trials, objective)
    names = _varying(spec, complete)
    complete = _filled(complete, names)
    found = _by_optuna(spec, complete, names, objective) if len(complete) >= FEW else None
    return found or _by_ranks(complete, names, objective)


def _complete(trials: Sequence[TrialRecord], objective: Objective) -> list[TrialRecord]:
    """Return the complete trials whose objective is a number."""
    complete = [t for t in trials if t.state is TrialState.COMPLETE]
    return [t for t in complete if math.isfinite(t.values.get(objective.metric, math.nan))]


def _varying(spec: SweepSpec, complete: Sequence[TrialRecord]) -> list[str]:
    """Return the parameters that enough trials have, and not all with one value."""
    had = {p.name: [str(t.params[p.name]) for t in complete if p.name in t.params] for p in spec.space.parameters}
    return [name for name, values in had.items() if len(values) >= _LEAST and len(set(values)) > 1]


def _filled(trials: Sequence[TrialRecord], names: Sequence[str]) -> list[TrialRecord]:
    """Return trials of which each has all parameters."""
    middle = {}
    for name in names:
        values = [t.params[name] for t in trials if name in t.params]
        numbers = all(isinstance(value, (int, float)) for value in values)
        middle[name] = sorted(values, key=None if numbers else str)[len(values) // 2]  # type: ignore[type-var, arg-type]
    return [replace(t, params={**middle, **t.params}) for t in trials]


def _by_optuna(
    spec: SweepSpec, trials: Sequence[TrialRecord], names: Sequence[str], objective: Objective
) -> Importances | None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    known = {name: kind for name, kind in distributions(spec.space).items() if name in names}
    study = optuna.create_study(direction=objective.goal.value)
    for trial in trials:
        params = {name: value for name, value in encode(trial.params, spec.space).items() if name in known}
        made = optuna.trial.create_trial(params=params, distributions=known, value=trial.values[objective.metric])
        study.add_trial(made)
    evaluator: Any
    # A forest takes minutes of hundreds of parameters.
    if importlib.util.find_spec("sklearn") and len(names) * len(trials) <= _FOREST:
        evaluator, method = optuna.importance.FanovaImportanceEvaluator(seed=0), "fANOVA"
    else:
        evaluator, method = optuna.importance.PedAnovaImportanceEvaluator(), "PED-ANOVA"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except (
            RuntimeError,
            ValueError,
            AssertionError,
        ):  # no variance that a forest explains, or one beyond numbers
            return None
    return _shares(shares, f"{method} of {len(trials)} complete trials")


def _by_ranks(trials: Sequence[TrialRecord], names: Sequence[str], objective: Objective) -> Importances | None:
    """Compare ranks: Spearman's rho squared of numbers, the correlation ratio of choices."""
    ranks = _ranks([t.values[objective.metric] for t in trials])
    shares = {}
    for name in names:
        values = [t.params[name] for t in trials]
        numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
        shares[name] = (
            _rho(_ranks(numbers), ranks) ** 2 if len(numbers) == len(values) else _ratio(list(map(str, values)), ranks)
        )
    return _shares(shares, f"rank correlation in {len(trials)} complete trials, which is few")


def _shares(found: Mapping[str, float], method: str) -> Importances | None:
    total = math.fsum(found.values())
    if not math.isfinite(total) or total <= 0:
        return None
    return Importances({name: value / total for name, value in found.items()}, method)


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equals share the mean of theirs."""
    return [sum(o < v for o in values) + (sum(o == v for o in values) - 1) / 2 for v in values]


def _rho(one: Sequence[float], other: Sequence[float]) -> float:
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    joint = sum((a - mean_one) * (b - mean_other) for a, b in zip(one, other, strict=True))
    spread = math.sqrt(sum((a - mean_one) ** 2 for a in one) * sum((b - mean_other) ** 2 for b in other))
    return joint / spread if spread else 0.0


def _ratio(groups: Sequence[str], ranks: Sequence[float]) -> float:
    """Return the share of the ranks' variance that lies between groups."""
    mean = sum(ranks) / len(ranks)
    whole = sum((rank - mean) ** 2 for rank in ranks)
    between = 0.0
    for group in set(groups):
        own = [rank for rank, g in zip(ranks, groups, strict=True) if g == group]
        between += len(own) * (sum(own) / len(own) - mean) ** 2
    return between / whole if whole else 0.0
