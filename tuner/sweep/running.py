"""A trial that runs, as the loop sees it: what it has evaluated, and what was decided about it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tuner.events import FirstValues
from tuner.jobs import NO_FIT, Ending, Job, Result
from tuner.study import TrialRecord
from tuner.sweep.commands import ObjectiveFolders
from tuner.sweep.outcomes import objective_values
from tuner.sweep.parts import FORKED_FROM
from tuner.trial.beginning import beginning
from tuner.values import Constraint, Evaluation, Objective, TrialState

LOST_LIMIT = 10  # a trial whose backend is lost so often is what kills it


@dataclass(frozen=True)
class Outcome:
    """What becomes of a trial.

    Attributes:
        state: RUNNING where it is taken up again at once, from its newest checkpoint.
        reason: In one line; empty where the state says it all.
        objective_missing: Whether it failed because an objective never came.
    """

    state: TrialState
    reason: str = ""
    objective_missing: bool = False


class Running:
    """One life of a trial.

    Attributes:
        record: What the study knows of it.
        job: What its process was asked to do.
        started: When this life began, on the loop's clock, in seconds.
        verdict: What was decided about it while it ran, or None.
        asked_to_stop_at: When it was asked to stop, on the loop's clock, or None.
        killed: Whether it was killed rather than asked.
        began_at: Global step of the checkpoint with which this life began.
        reached: The last global step that is known to have been trained.
        begins: From where it goes on, in words; empty where it is the trial's beginning.
    """

    def __init__(
        self,
        record: TrialRecord,
        job: Job,
        started: float,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
    ) -> None:
        self.record = record
        self.job = job
        self.started = started
        self.verdict: Outcome | None = None
        self.asked_to_stop_at: float | None = None
        self.killed = False
        self.began_at = self.reached = 0
        self.begins = ""
        self._objectives = tuple(objectives)
        self._first = FirstValues()
        metrics = [*(o.metric for o in objectives), *(constraint.metric for constraint in constraints)]
        self._curves: dict[str, dict[int, float]] = {metric: {} for metric in metrics}
        self._folders = ObjectiveFolders(bool(job.command), job.folders)
        self._tags: set[str] = set()
        self._evaluated: set[int] = set()

    @property
    def trial(self) -> int:
        return self.record.number

    @property
    def step(self) -> int:
        """The last global step at which it was evaluated; 0 before the first."""
        return max(self._evaluated, default=0)

    @property
    def trained(self) -> int:
        """Global steps that this life has trained, as far as is known."""
        return max(0, self.reached - self.began_at)

    @property
    def tags(self) -> list[str]:
        """All tags that its evaluations have."""
        return sorted(self._tags)

    @property
    def curve(self) -> Mapping[int, float]:
        """Global step to the first objective's value, in step order."""
        return dict(sorted(self._curves[self._objectives[0].metric].items()))

    @property
    def others(self) -> Mapping[str, Mapping[int, float]]:
        """The curves of the other objectives, and of what constraints are on."""
        first = self._objectives[0].metric
        return {metric: dict(sorted(c.items())) for metric, c in self._curves.items() if metric != first}

    @property
    def latest(self) -> float | None:
        """The first objective's value at its last step."""
        curve = self._curves[self._objectives[0].metric]
        return curve[max(curve)] if curve else None

    @property
    def folder_tags(self) -> dict[str, str]:
        """Which folder's evaluations counted of a command, as tags."""
        return self._folders.tags

    @property
    def choices(self) -> list[str]:
        """Lines of what was chosen where a command wrote an objective in several folders."""
        return self._folders.choices

    def saw(self, tags: Iterable[str]) -> None:
        """Take tags that were written outside of evaluations."""
        self._tags.update(tags)

    def take(self, evaluation: Evaluation) -> tuple[Evaluation | None, bool]:
        """Take an evaluation from the event files.

        Returns:
            What of it is new (None where all of it was there before), and whether the trial has a
            value of every objective at its step now and had not before.
        """
        fresh = self._first.take(evaluation)
        if fresh is None:
            return None, False
        before = self._whole(fresh.step)
        if fresh.folder and not fresh.aside:
            self._evaluated.add(fresh.step)
            self._tags.update(fresh.scalars)
        for metric, curve in self._curves.items():
            if metric in fresh.scalars and fresh.folder and self._folders.counts(metric, fresh):
                curve.setdefault(fresh.step, fresh.scalars[metric])
        return fresh, self._whole(fresh.step) and not before

    def at(self, step: int) -> dict[str, float]:
        """Return what each objective and constraint has at ``step``, the first objective first."""
        return {metric: curve[step] for metric, curve in self._curves.items() if step in curve}

    def losses(self, step: int) -> list[float]:
        """Return each objective's loss (less is better) at ``step``."""
        values = self.at(step)
        return [objective.goal.loss(values[objective.metric]) for objective in self._objectives]

    def values(self) -> dict[str, float]:
        """Return the objectives of the trial as it stands, by the rules of the sweep; empty if it has none."""
        return objective_values(self._objectives, self._curves)

    def came_to_no_checkpoint(self, grace_s: float) -> None:
        """Say why it is killed, which was asked to stop so many seconds ago."""
        if self.verdict is not None and not self.killed:
            why = f"killed {grace_s:g} s later, as it came to no checkpoint"
            self.verdict = replace(self.verdict, reason=f"{self.verdict.reason}; {why}")

    def misses_objective(self) -> bool:
        """Whether it was evaluated twice and an objective never came."""
        # A command may write whatever it likes before its objective.
        return not self.job.command and len(self._evaluated) > 1 and any(not curve for curve in self._curves.values())

    def missing(self) -> Outcome:
        """Say which objective did not come, and which tags there are."""
        metrics = [metric for metric, curve in self._curves.items() if not curve]
        objectives = {objective.metric for objective in self._objectives}
        what = "objective" if objectives.intersection(metrics) else "constraint"
        elsewhere = [line for metric in metrics if (line := self._folders.elsewhere(metric))]
        reason = "; ".join([missing_objective(metrics, self.tags, what), *elsewhere])
        return Outcome(TrialState.FAIL, reason, objective_missing=True)

    def ended(self, outcome: Outcome, result: Result, now: float, tags: Mapping[str, str]) -> TrialRecord:
        """Return the trial as this life leaves it.

        Args:
            outcome: What becomes of it.
            result: How its process ended.
            now: On the loop's clock, in seconds.
            tags: Of its run, beside those that it has and its process gave it.
        """
        values = self.values()
        if outcome.state is TrialState.COMPLETE and result.ending is Ending.NAN:
            values = {objective.metric: objective.goal.worst for objective in self._objectives}
        return replace(
            self.record,
            state=outcome.state,
            reason=outcome.reason,
            seconds=self.record.seconds + now - self.started,
            trained=self.record.trained + self.trained,
            values=values,
            curve=self.curve,
            others=self.others,
            tags={**self.record.tags, **result.tags, **self.folder_tags, **tags},
        )

    def _whole(self, step: int) -> bool:
        return all(step in self._curves[objective.metric] for objective in self._objectives)


def how_it_begins(record: TrialRecord, step: int | None) -> str:
    """Say from where a life goes on; nothing where it is the trial's own beginning.

    Args:
        record: The trial; ``lives`` counts this one.
        step: Global step of the checkpoint with which it begins, or None.
    """
    if record.lives == 1 and FORKED_FROM in record.tags:
        return f"goes on from trial {record.tags[FORKED_FROM]} at step {step}"
    return beginning(record.lives, step)


def missing_objective(metrics: Sequence[str], tags: Sequence[str], what: str = "objective") -> str:
    """Say that no evaluation had these metrics, which tags there are, and which is nearest."""
    wanted = ", ".join(repr(metric) for metric in metrics)
    if not tags:
        return f"the {what} {wanted} never came: no evaluation wrote a scalar"
    near = [match for metric in metrics for match in difflib.get_close_matches(metric, tags, n=1)]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"the {what} {wanted} never came; tags that are there: {', '.join(tags)}{hint}"


_PERTURBED = (
    "a parameter that pbt perturbs changes the shape of a variable; take it out of search.scheduler.perturb, "
    "or make it a constant"
)


def judge_end(running: Running, result: Result, damage: Sequence[str], nan: str, retries: int) -> Outcome:
    """Say what becomes of a trial whose process ended.

    Args:
        running: The trial.
        result: How its process ended.
        damage: What could not be read of its event files, a line each.
        nan: Policy for a NaN loss, ``fail`` or ``worst``.
        retries: How often a trial that failed is taken up again.
    """
    verdict = running.verdict
    if damage and result.ending in (Ending.FINISHED, Ending.STOPPED) and running.step < (result.step or 0):
        # The next life evaluates the newest checkpoint, because it finds no evaluation of it.
        result = replace(result, ending=Ending.FAILED, reason=f"its last evaluation is lost: {damage[0]}", died=True)
    if result.ending is Ending.FINISHED and (verdict is None or not verdict.state.settled):
        return _finished(running, nan)
    if verdict is not None:
        return verdict
    if result.ending is Ending.STOPPED:
        if running.job.stop_at is not None and (result.step or 0) >= running.job.stop_at:
            return Outcome(TrialState.PAUSED, f"at its rung, step {result.step}")
        return Outcome(TrialState.RUNNING, "somebody else stopped it")
    if result.ending is Ending.INFEASIBLE:
        return Outcome(TrialState.PRUNED, f"infeasible: {result.reason}")
    if result.ending is Ending.NAN:
        return Outcome(TrialState.COMPLETE if nan == "worst" else TrialState.FAIL, "the loss became NaN")
    if result.ending is Ending.LOST and running.record.losses < LOST_LIMIT:
        return Outcome(TrialState.RUNNING, result.reason)
    if NO_FIT in result.reason and FORKED_FROM in running.record.tags:
        return Outcome(TrialState.FAIL, f"{result.reason}: {_PERTURBED}")
    # An exception before the first checkpoint would come again; a process that died may live.
    hopeless = not result.step and not result.died
    if running.record.failures < retries and not hopeless:
        return Outcome(TrialState.RUNNING, result.reason)
    return Outcome(TrialState.FAIL, result.reason)


def _finished(running: Running, nan: str) -> Outcome:
    values = running.values()
    if not values or any(not curve for curve in running.others.values()):
        return running.missing()
    if any(math.isnan(value) for value in values.values()) and nan == "fail":
        return Outcome(TrialState.FAIL, "the objective is NaN")
    return Outcome(TrialState.COMPLETE)
