"""Optuna's samplers and pruners; it has no pausing: a trial runs until it is pruned, or to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import optuna

from benchmarks.search.peers.loop import Decision, Peer
from benchmarks.search.tables import CurveTable
from tuner.space import Categorical, Int

optuna.logging.set_verbosity(optuna.logging.ERROR)


class OptunaPeer:
    """Ask, report and tell, as the loop of ``Study.optimize`` does."""

    def __init__(
        self, table: CurveTable, seed: int, sampler: optuna.samplers.BaseSampler, pruner: optuna.pruners.BasePruner
    ) -> None:
        # The name decides to which bracket of Hyperband a trial belongs.
        self._study = optuna.create_study(study_name=f"{table.name} {seed}", sampler=sampler, pruner=pruner)
        self._steps = table.steps
        self._space = {p.name: _distribution(p) for p in table.space.parameters}
        self._running: dict[int, optuna.Trial] = {}

    def next(self) -> tuple[int, Mapping[str, Any]]:
        trial = self._study.ask(self._space)
        self._running[trial.number] = trial
        return trial.number, trial.params

    def report(self, trial: int, step: int, loss: float) -> Decision:
        running = self._running[trial]
        running.report(loss, step)
        if step == self._steps:
            self._study.tell(running, loss)
        elif running.should_prune():
            self._study.tell(running, state=optuna.trial.TrialState.PRUNED)
        else:
            return Decision.GO_ON
        del self._running[trial]
        return Decision.STOP


def _distribution(parameter: Any) -> optuna.distributions.BaseDistribution:
    if isinstance(parameter, Categorical):
        return optuna.distributions.CategoricalDistribution(parameter.choices)
    kind = (
        optuna.distributions.IntDistribution if isinstance(parameter, Int) else optuna.distributions.FloatDistribution
    )
    return kind(parameter.low, parameter.high, log=parameter.log)


Pruner = Callable[[CurveTable], optuna.pruners.BasePruner]


def _tpe(pruner: Pruner) -> Callable[[CurveTable, int], Peer]:
    return lambda table, seed: OptunaPeer(table, seed, optuna.samplers.TPESampler(seed=seed), pruner(table))


def _random(table: CurveTable, seed: int) -> Peer:
    return OptunaPeer(table, seed, optuna.samplers.RandomSampler(seed), optuna.pruners.NopPruner())


# With "auto" resources pruners would wait for the first trial at its end; the other libraries know the steps, too.
PEERS: Mapping[str, Callable[[CurveTable, int], Peer]] = {
    "random": _random,
    "optuna:tpe+hyperband": _tpe(lambda table: optuna.pruners.HyperbandPruner(max_resource=table.steps)),
    "optuna:tpe+median": _tpe(lambda table: optuna.pruners.MedianPruner()),  # noqa: ARG005
    "optuna:tpe+sha": _tpe(lambda table: optuna.pruners.SuccessiveHalvingPruner(min_resource=1)),  # noqa: ARG005
}
