"""What else happens as trials go on: the loop calls these without knowing what they do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from tuner.domain.pareto import ranked_steps
from tuner.domain.scoring import with_constraints
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.disk import CheckpointLimit
from tuner.driver.running_trial import RunningTrial
from tuner.driver.stop_criteria import meets_target
from tuner.driver.unused_parameters import ENOUGH, UnusedParameters
from tuner.files import checkpoints
from tuner.files.paths import SweepDir

Say = Callable[[str], None]


class Reaction:
    """Called by the loop after it has done its own part; each method does nothing unless it is overridden.

    None of them may raise because of what a user's code or a trial does.
    """

    def on_begin(self, trial: RunningTrial) -> None:
        """A trial's process has begun, or goes on."""

    def on_evaluation(self, trial: RunningTrial, step: int) -> None:
        """A running trial has a value of every objective at ``step``; it may decide what becomes of the trial.

        A trial that was decided upon is stopped by the loop.
        """

    def on_suspended(self, record: TrialRecord) -> None:
        """A trial does not run now and may go on: after this driver's attempt, or an earlier or another driver's."""

    def on_finished(self, record: TrialRecord) -> None:
        """A trial that this driver ran, or held as paused, will not run again."""

    def on_finished_elsewhere(self, record: TrialRecord) -> None:
        """A trial was finished by an earlier or another driver."""

    def on_end(self) -> None:
        """This driver's part of the sweep is over."""


class CheckpointKeeper(Reaction):
    """Keep of each trial the checkpoint that it resumes from and its best one; keep all together below the limit.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        say: Is told when the limit cannot be kept.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir, say: Say) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._say = say
        limit = spec.search.max_checkpoint_bytes
        self._limit = CheckpointLimit(sweep_dir, limit) if limit is not None else None
        self._running: set[int] = set()
        self._waiting: set[int] = set()

    def on_begin(self, trial: RunningTrial) -> None:
        self._waiting.discard(trial.number)
        self._running.add(trial.number)

    def on_evaluation(self, trial: RunningTrial, step: int) -> None:  # noqa: ARG002
        if trial.job.command:
            return  # its checkpoints are its own
        checkpoints.thin(self._dir.trial(trial.number).path, trial.ranked_steps)
        if self._limit is not None and (line := self._limit.enforce(self._running, self._waiting)):
            self._say(line)

    def on_suspended(self, record: TrialRecord) -> None:
        self._running.discard(record.number)
        self._waiting.add(record.number)

    def on_finished(self, record: TrialRecord) -> None:
        self._running.discard(record.number)
        self._waiting.discard(record.number)
        if self._limit is None:
            return
        objective = self._spec.objectives[0]
        value = record.values.get(objective.metric) if record.feasible else None
        loss = objective.goal.loss(value) if value is not None and math.isfinite(value) else math.inf
        curves = {objective.metric: record.curve, **record.others}
        ranked = ranked_steps(record.curve, objective.goal, self._spec.constraints, curves)
        self._limit.count_finished(record.number, loss, ranked)

    def on_finished_elsewhere(self, record: TrialRecord) -> None:
        self.on_finished(record)


class TargetReached(Reaction):
    """Complete a trial that has shown what the whole sweep is after; its checkpoint is there.

    Args:
        spec: The sweep.
    """

    def __init__(self, spec: SweepSpec) -> None:
        self._spec = spec

    def on_evaluation(self, trial: RunningTrial, step: int) -> None:
        if self._spec.search.repeats > 1:
            return  # a mean is to meet it
        objective = self._spec.objectives[0]
        value = trial.values().get(objective.metric)
        if value is None or trial.is_at_end(step):
            return
        if not meets_target(value, self._spec.search.budget.target, objective.goal):
            return
        done = with_constraints(replace(trial.as_record(), state=TrialState.COMPLETE), self._spec)
        if done.feasible and len(done.constraints) == len(self._spec.constraints):
            trial.complete_at_target(step)


class UnusedParametersNote(Reaction):
    """Say which parameters change nothing.

    Args:
        spec: The sweep.
        trials: Returns all trials of the sweep.
        say: Is told, a line each.
    """

    def __init__(self, spec: SweepSpec, trials: Callable[[], Iterable[TrialRecord]], say: Say) -> None:
        self._unused = UnusedParameters([parameter.name for parameter in spec.space.parameters])
        self._trials = trials
        self._say = say

    def on_finished(self, record: TrialRecord) -> None:
        self._say(self._unused.add(record))
        if record.state is TrialState.COMPLETE and self._unused.trials == ENOUGH:
            self._say_unread()

    def on_end(self) -> None:
        if self._unused.trials:
            self._say_unread()

    def _say_unread(self) -> None:
        for line in self._unused.unread(self._trials()):
            self._say(line)


def own_reactions(
    spec: SweepSpec, sweep_dir: SweepDir, display: Say, trials: Callable[[], Iterable[TrialRecord]], say_once: Say
) -> list[Reaction]:
    """Return the reactions of every sweep.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        display: Is told what goes wrong.
        trials: Returns all trials.
        say_once: Is told what is worth a line, however often it is said.
    """
    own = [CheckpointKeeper(spec, sweep_dir, display), TargetReached(spec)]
    if spec.simulation is None:  # a simulated trial has no model that reads its parameters
        own.append(UnusedParametersNote(spec, trials, say_once))
    return own
