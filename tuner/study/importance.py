"""Which parameters matter, by Optuna's evaluators; by rank correlation where trials are too few for them."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.space.sampling import distributions, encode
from tuner.spec import SweepSpec
from tuner.study.trial import TrialRecord
from tuner.values import Objective, TrialState

FEW = 8  # complete trials below which ranks are compared
_LEAST = 4


@dataclass(frozen=True)
class Importances:
    """Each parameter's share of the objective's variation (they sum to 1), and how they were found."""

    shares: Mapping[str, float]
    method: str


def importances(spec: SweepSpec, trials: Sequence[TrialRecord], objective: Objective) -> Importances | None:
    """Return the importance of each parameter that varies in the complete trials, or None if it cannot be told.

    Parameters that only some of the trials have are left out, as Optuna does.
    """
    complete = [
        t for t in trials if t.state is TrialState.COMPLETE and math.isfinite(t.values.get(objective.metric, math.nan))
    ]
    names = [
        p.name
        for p in spec.space.parameters
        if all(p.name in t.params for t in complete) and len({str(t.params[p.name]) for t in complete}) > 1
    ]
    values = {t.values[objective.metric] for t in complete}
    if len(complete) < _LEAST or len(values) < 2 or not names:
        return None
    found = _by_optuna(spec, complete, names, objective) if len(complete) >= FEW else None
    return found or _by_ranks(complete, names, objective)


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
    if importlib.util.find_spec("sklearn"):
        evaluator, method = optuna.importance.FanovaImportanceEvaluator(seed=0), "fANOVA"
    else:
        evaluator, method = optuna.importance.PedAnovaImportanceEvaluator(), "PED-ANOVA"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except (RuntimeError, ValueError):  # no variance that a forest could explain
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
