"""Syne Tune's multi-fidelity methods, driven as its ``Tuner`` drives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from syne_tune import config_space
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer import baselines
from syne_tune.optimizer.scheduler import SchedulerDecision, TrialScheduler

from benchmarks.search.peers.loop import Decision, Peer
from benchmarks.search.tables import CurveTable
from tuner.space import Categorical, Int

DECISIONS = {
    SchedulerDecision.CONTINUE: Decision.GO_ON,
    SchedulerDecision.PAUSE: Decision.PAUSE,
    SchedulerDecision.STOP: Decision.STOP,
}


class SyneTunePeer:
    """Suggestions, results and removals; a trial that is resumed has the parameters that it had."""

    def __init__(self, table: CurveTable, make: Callable[[dict[str, Any]], TrialScheduler]) -> None:
        self._scheduler = make({**{p.name: _domain(p) for p in table.space.parameters}, "epochs": table.steps})
        self._steps = table.steps
        self._trials: dict[int, Trial] = {}

    def next(self) -> tuple[int, Mapping[str, Any]] | None:
        suggestion = self._scheduler.suggest(len(self._trials))
        if suggestion is None:
            return None
        if suggestion.spawn_new_trial_id:
            trial = Trial(len(self._trials), dict(suggestion.config), datetime.now())
            self._trials[trial.trial_id] = trial
            self._scheduler.on_trial_add(trial)
        else:
            trial = self._trials[suggestion.checkpoint_trial_id]
            trial.config = suggestion.config or trial.config
        return trial.trial_id, trial.config

    def report(self, trial: int, step: int, loss: float) -> Decision:
        running, result = self._trials[trial], {"loss": loss, "epoch": step}
        decision = DECISIONS[self._scheduler.on_trial_result(running, result)]
        if decision is not Decision.GO_ON:
            self._scheduler.on_trial_remove(running)
        elif step == self._steps:
            self._scheduler.on_trial_complete(running, result)
        return decision


def _domain(parameter: Any) -> Any:
    if isinstance(parameter, Categorical):
        return config_space.choice(list(parameter.choices))
    low, high = parameter.low, parameter.high
    if isinstance(parameter, Int):
        return config_space.lograndint(low, high) if parameter.log else config_space.randint(low, high)
    return config_space.loguniform(low, high) if parameter.log else config_space.uniform(low, high)


def _by(method: Callable[..., TrialScheduler], **settings: Any) -> Callable[[CurveTable, int], Peer]:
    def make(table: CurveTable, seed: int) -> Peer:
        return SyneTunePeer(
            table,
            lambda space: method(
                space,
                metric="loss",
                mode="min",
                resource_attr="epoch",
                max_resource_attr="epochs",
                random_seed=seed,
                **settings,
            ),
        )

    return make


PEERS: Mapping[str, Callable[[CurveTable, int], Peer]] = {
    "syne:asha": _by(baselines.ASHA),
    "syne:asha-promotion": _by(baselines.ASHA, type="promotion"),
    "syne:pasha": _by(baselines.PASHA),
    "syne:bohb": _by(baselines.BOHB),
    "syne:mobster": _by(baselines.MOBSTER),
    "syne:mobster-promotion": _by(baselines.MOBSTER, type="promotion"),
    "syne:hyper-tune": _by(baselines.HyperTune),
    # With one bracket, the default, it has none to choose from.
    "syne:hyper-tune-promotion-4": _by(baselines.HyperTune, type="promotion", brackets=4),
    "syne:dyhpo": _by(baselines.DyHPO),
}
