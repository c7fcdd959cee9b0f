"""What the finished trials of a sweep add up to: how many, the best, what is spent of its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from tuner.domain.repeats import SeedGroups
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import FORKED_AT
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.progress import TrialProgress
from tuner.driver.running_trial import RunningTrial
from tuner.driver.stop_criteria import StopCriteria
from tuner.driver.time_left import Trained


class SweepStatus:
    """Count finished trials.

    Attributes:
        stop_criteria: What they spend of the sweep's limits.
        counts: How many of them ended in each state.
        best: Number and first objective of the best complete one, or None; if sets of parameters are
            trained with several seeds, the typical trial and the mean of the best set.
        has_objective: Whether any has had an objective.
        steps: Global steps trained by trials that do not run now, finished or not.
    """

    def __init__(self, spec: SweepSpec) -> None:
        self._objective = spec.objectives[0]
        self._seed_groups = SeedGroups(spec.search.repeats, self._objective.goal)
        self.stop_criteria = StopCriteria(spec.search, self._objective.goal)
        self.counts: Counter[TrialState] = Counter()
        self.best: tuple[int, float] | None = None
        self.has_objective = False
        self.steps = 0
        self._trained: Counter[int] = Counter()  # global steps of each trial

    def add_finished(self, record: TrialRecord) -> None:
        """Count a trial that will not run again."""
        self.counts[record.state] += 1
        self.has_objective = self.has_objective or bool(record.values)
        value = record.values.get(self._objective.metric) if record.feasible else None
        was_decided = self._seed_groups.is_decided(self._seed_groups.group_of(record.number, record.tags))
        group = self._seed_groups.finish(record.number, record.tags, record.state, value)
        judged = self._seed_groups.is_decided(group) and not was_decided
        self.stop_criteria.count_finished(
            record.state, record.reason, group.mean if self._seed_groups.is_complete(group) else None, judged
        )
        if (best := self._seed_groups.best) is not None and best.mean is not None:
            self.best = (best.typical, best.mean)

    def add_steps(self, trial: int, steps: int) -> None:
        """Count steps that a trial was trained."""
        self.steps += steps
        self._trained[trial] += steps

    def trained(
        self, unsettled: Collection[int], here: Mapping[int, RunningTrial], to_begin: int, planned: int | None
    ) -> Trained:
        """Return what was trained, to tell how long the sweep will still take.

        Args:
            unsettled: Numbers of the trials that run, here or elsewhere, or are to be taken up first.
            here: Those that run here.
            to_begin: How many trials have not begun.
            planned: Steps of the whole sweep, if the scheduler knows.
        """
        before = self._trained
        running: list[tuple[int, int | None]] = [(before[n], None) for n in unsettled if n not in here]
        running += [(before[n] + trial.trained, trial.to_train) for n, trial in here.items()]
        return Trained([steps for n, steps in before.items() if n not in unsettled], running, to_begin, planned)

    def add_earlier(self, record: TrialRecord) -> None:
        """Count what a trial has trained under earlier or other drivers; if it is finished, count the trial as well.

        A driver that was killed noted nothing of the attempts that ended with it; what was reported of
        them counts.
        """
        trained = max(record.trained, (record.step or 0) - int(record.tags.get(FORKED_AT, 0)))
        self.add_steps(record.number, max(0, trained - self._trained[record.number]))
        if record.state.is_finished:
            self.add_finished(record)


def in_order_of_ending(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return trials as they ended, by which failures in a row are counted; unfinished ones come first."""
    return sorted(trials, key=lambda trial: (trial.ended, trial.number))


def trial_progress(trial: RunningTrial) -> TrialProgress:
    """Return how far a trial that runs is, as it is shown."""
    return TrialProgress(trial.number, trial.step, trial.job.train.max_steps, trial.latest)
