"""Ray Tune's ASHA and BOHB, driven as its ``TuneController`` drives them.

A trial here has of Ray's own only what the schedulers look at. The order is the controller's: one pending trial
is kept ready for as long as the searcher gives one, then the scheduler chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import hpbandster  # noqa: F401 (TuneBOHB is of no use without it)
import numpy as np
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, HyperBandForBOHB, TrialScheduler
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.bohb import TuneBOHB

from benchmarks.search.judging import WORKERS
from benchmarks.search.peers.loop import Decision, Peer
from benchmarks.search.tables import CurveTable
from tuner.space import Categorical, Int

DECISIONS = {
    TrialScheduler.CONTINUE: Decision.GO_ON,
    TrialScheduler.PAUSE: Decision.PAUSE,
    TrialScheduler.STOP: Decision.STOP,
}


class RayTrial:
    """What schedulers look at of a trial."""

    def __init__(self, number: int, params: Mapping[str, Any]) -> None:
        self.number = number
        self.trial_id = f"{number:05}"
        self.params = params
        self.status = Trial.PENDING
        self.is_saving = False
        self.last_result: dict[str, Any] = {}


class RandomSearcher:
    """Draws from Ray Tune's own domains, and learns nothing."""

    def __init__(self, space: Mapping[str, Any], seed: int) -> None:
        self._space = space
        self._random = np.random.RandomState(seed)

    def suggest(self, trial_id: str) -> dict[str, Any]:
        del trial_id
        return {name: domain.sample(random_state=self._random) for name, domain in self._space.items()}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None: ...

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None) -> None: ...


class RayPeer:
    """A scheduler and a searcher, and of the controller what they call."""

    def __init__(self, scheduler: TrialScheduler, searcher: Any) -> None:
        self._scheduler = scheduler
        self._searcher = searcher
        self._trials: list[RayTrial] = []
        # As the schedulers name it; HyperBandForBOHB reaches through to the searcher.
        self.search_alg = SimpleNamespace(searcher=getattr(searcher, "searcher", searcher))

    def get_trials(self) -> list[RayTrial]:
        return self._trials

    def stop_trial(self, trial: RayTrial) -> None:
        if trial.status == Trial.TERMINATED:
            return
        if trial.status == Trial.RUNNING:
            self._scheduler.on_trial_complete(self, trial, trial.last_result)
            self._searcher.on_trial_complete(trial.trial_id, result=trial.last_result)
        else:
            self._scheduler.on_trial_remove(self, trial)
            self._searcher.on_trial_complete(trial.trial_id)
        trial.status = Trial.TERMINATED

    def next(self) -> tuple[int, Mapping[str, Any]] | None:
        if not any(trial.status == Trial.PENDING for trial in self._trials):
            self._add()
        chosen = self._scheduler.choose_trial_to_run(self)
        if chosen is None:
            return None
        chosen.status = Trial.RUNNING
        return chosen.number, chosen.params

    def report(self, trial: int, step: int, loss: float) -> Decision:
        running = self._trials[trial]
        result = {"loss": loss, "training_iteration": step, "trial_id": running.trial_id}
        decision = self._scheduler.on_trial_result(self, running, result)
        if decision != TrialScheduler.STOP:
            self._searcher.on_trial_result(running.trial_id, result)
        running.last_result = result
        if decision == TrialScheduler.STOP:
            self.stop_trial(running)
        elif decision == TrialScheduler.PAUSE:
            running.status = Trial.PAUSED
        return DECISIONS[decision]

    def _add(self) -> None:
        number = len(self._trials)
        if (params := self._searcher.suggest(f"{number:05}")) is not None:
            trial = RayTrial(number, params)
            self._trials.append(trial)
            self._scheduler.on_trial_add(self, trial)


def _space(table: CurveTable) -> dict[str, Any]:
    return {p.name: _domain(p) for p in table.space.parameters}


def _domain(parameter: Any) -> Any:
    if isinstance(parameter, Categorical):
        return tune.choice(list(parameter.choices))
    low, high = parameter.low, parameter.high
    if isinstance(parameter, Int):  # without its upper bound
        return tune.lograndint(low, high + 1) if parameter.log else tune.randint(low, high + 1)
    return tune.loguniform(low, high) if parameter.log else tune.uniform(low, high)


def _asha(table: CurveTable, seed: int) -> Peer:
    np.random.seed(seed)
    scheduler = AsyncHyperBandScheduler(metric="loss", mode="min", max_t=table.steps)
    return RayPeer(scheduler, RandomSearcher(_space(table), seed))


def _bohb(table: CurveTable, seed: int) -> Peer:
    np.random.seed(seed)
    space = TuneBOHB.convert_search_space(_space(table))
    searcher = ConcurrencyLimiter(TuneBOHB(space, metric="loss", mode="min", seed=seed), WORKERS)
    return RayPeer(HyperBandForBOHB(metric="loss", mode="min", max_t=table.steps), searcher)


PEERS: Mapping[str, Callable[[CurveTable, int], Peer]] = {"ray:asha": _asha, "ray:bohb": _bohb}
