"""Freeze-thaw search as a scheduler: trials are frozen and thawed at rungs, and draw what it chooses.

Swersky, Snoek and Adams, "Freeze-Thaw Bayesian Optimization", 2014 (arXiv 1406.3896): a trial is paused
("frozen") when another one, or a new one, promises more, and goes on ("thaws") from its checkpoint when it
does. None is given up before the sweep ends. What is decided is in ``search``, the model in ``model``.

Of several trials with the same parameters (``repeats``) the first is judged; the others begin when it is
complete, and train to their end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.domain.objective import Objective
from tuner.domain.scoring import INFEASIBLE
from tuner.domain.spec import SearchSettings, TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers.base import Begin, Promotion, Scheduler
from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.model import Fit
from tuner.schedulers.freeze_thaw.search import GoOn, NewTrial, Search
from tuner.schedulers.rungs import halving_steps
from tuner.space import Space
from tuner.space.parameters import Params

ETA = 3
"""A rung is at so many times the evaluations of the one before."""

LEFT = 1.5
"""A full training is so many times as long as the way to its last rung, or longer: else hardly anything is spared."""


class FreezeThawScheduler(Scheduler):
    """Decide which trial trains on, or with which parameters one begins; see ``Scheduler``.

    Args:
        train: How long a trial trains and how often it is evaluated.
        space: Of the parameters.
        search: How many trials there may be, how many of each set of parameters, and the seed.
        objectives: The one that it searches for.
    """

    uses_rungs = True
    goes_with_several_objectives = False
    needs_listed_parameters = True
    pauses_anywhere = True
    repeats_complete_trials = True
    imports = ("scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats")

    def __init__(
        self, train: TrainSettings, space: Space, search: SearchSettings, objectives: Sequence[Objective]
    ) -> None:
        self._every, self._end = train.bounds()
        evaluations = math.ceil(self._end / self._every)
        self._cube = Cube(space)
        self._objective = objectives[0]
        self._rungs, self._repeats = _rungs(evaluations), search.repeats > 1
        limited = search.timeout_s is not None or search.budget.steps is not None
        self._least = 2 if limited else 1  # one is complete before such a limit, though the last place is kept
        self._search = Search(self._cube, self._rungs, self._least, search.seed, self._said)
        self._most = max(1, search.trials - search.repeats + 1)  # the last set has room for all of its trials
        self._begun: set[int] = set()
        self._repeating: set[int] = set()
        self._thawed_at: dict[int, int] = {}  # evaluation at which a trial was thawed: it is not judged there again
        self._learned = 0

    def learn(self, params: Params, loss: float) -> None:
        self._learned += 1
        self._search.add(-self._learned, self._cube.point(params))
        self._search.see(-self._learned, self._rungs[-1], loss)

    def on_begin(
        self,
        trial: int,
        params: Params,
        replaces: int | None = None,
        step: int = 0,
        memory: Mapping[str, Any] | None = None,
        repeat_of: int | None = None,
    ) -> None:
        del replaces, step
        self._begun.add(trial)
        if repeat_of is not None:
            self._repeating.add(trial)
            return
        self._search.add(trial, self._cube.point(params))
        if memory and "fits" in memory:  # without: an older version kept it, whose model was another one
            self._search.remember(trial, [Fit(tuple(theta), count) for theta, count in memory["fits"]])

    def next_stop(self, trial: int, step: int) -> int | None:
        del step
        if trial not in self._repeating:
            self._search.resume(trial)
        return None

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:
        if trial in self._repeating:
            return Decision.CONTINUE
        evaluation = self._evaluation(step)
        self._search.see(trial, evaluation, losses[0])
        if evaluation <= self._thawed_at.get(trial, 0) or not self._search.is_due(trial, evaluation):
            return Decision.CONTINUE
        found = self._search.decide(self._may_begin, current=trial)
        if isinstance(found, GoOn) and found.trial == trial:
            return Decision.CONTINUE
        self._search.suspend(trial)
        return Decision.PAUSE  # it may be chosen once its process has ended

    def took(self, trial: int, seconds: float, starting: float, steps: int, attempts: int) -> None:
        self._search.start_cost.add(trial, seconds, starting, steps / self._every, attempts)

    def on_finished(self, trial: int, state: TrialState) -> None:
        if trial in self._repeating:
            return
        if state is TrialState.PAUSED:
            self._search.pause(trial)
        elif state.is_finished:
            self._search.finish(trial, failed=state is TrialState.FAIL)

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        if trial not in self._repeating:
            self._search.suspend(trial)
            for step, losses in curve.items():
                self._search.see(trial, self._evaluation(step), losses[0])
            self.on_finished(trial, state)

    def next_resume(self, may_begin: bool) -> Promotion | Begin | None:
        found = self._search.decide(may_begin and self._may_begin)
        if isinstance(found, NewTrial):
            fits = [[list(fit.theta), fit.count] for fit in found.fits]
            return Begin(self._cube.params(found.point), {"fits": fits} if fits else {}, found.why)
        if found is None:
            return None
        self._thawed_at[found.trial] = self._search.trials[found.trial].last
        return Promotion(found.trial, found.why)

    def wants_new_trial(self) -> bool:
        return False

    @property
    def _may_begin(self) -> bool:
        return len(self._begun) < self._most

    def _said(self, loss: float, evaluation: int) -> str:
        """Say a loss after so many evaluations as the value that it is of."""
        step = min(self._end, evaluation * self._every)
        if loss >= INFEASIBLE:
            return f"a broken constraint at step {step}"
        return f"{self._objective.metric} {self._objective.goal.loss(loss):.4g} at step {step}"

    def _evaluation(self, step: int) -> int:
        """Return the number of the evaluation at a global step."""
        return math.ceil(step / self._every)

    def planned_steps(self, trials: int) -> int | None:
        if self._repeats or len(self._rungs) == 1:
            return None
        return halving_steps(self._search.rungs, trials, self._least) * self._every


def _rungs(evaluations: int) -> list[int]:
    """Return the numbers of the evaluations at which trials are compared: 1, 3, 9, ... and the last."""
    steps: list[int] = []
    while (step := ETA ** len(steps)) * LEFT <= evaluations:
        steps.append(step)
    return [*steps, evaluations]
