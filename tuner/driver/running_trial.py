"""A trial that runs, as the loop sees it: what it has evaluated, and what was decided about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.objective import Constraint, Objective
from tuner.domain.pareto import ranked_steps
from tuner.domain.scoring import losses_at, objective_values
from tuner.domain.tags import STOPPED_AT, TRAINED_OUTSIDE
from tuner.domain.trial import Evaluation, TrialOutcome, TrialRecord, TrialState
from tuner.driver.missing_objective import missing_objective
from tuner.events import FirstValueFilter
from tuner.schedulers.rungs import comes_to
from tuner.script.objective_folders import ObjectiveFolders


@dataclass(frozen=True)
class Report:
    """What an evaluation tells of a trial.

    Attributes:
        evaluation: What of it is new.
        is_complete: Whether the trial has a value of every objective at its step now, and had not before.
        is_late: Whether the trial had these already, and has a value of a constraint now that the study does not know.
    """

    evaluation: Evaluation
    is_complete: bool
    is_late: bool = False


class RunningTrial:
    """One attempt of a trial: the only place that changes its curves and its outcome.

    Args:
        record: What the study knows of the trial.
        job: What its process is asked to do.
        started: When its process began, on the loop's clock, in seconds; None until then.
        objectives: Of the sweep.
        constraints: Of the sweep.
        began_at: Global step of the checkpoint with which the attempt begins.
        begins: From where it goes on, in words; empty if it is the trial's beginning.
        unwritten: Returns what it evaluated and did not write as a scalar: tag to type and shape.
    """

    def __init__(
        self,
        record: TrialRecord,
        job: Job,
        started: float | None,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        began_at: int = 0,
        begins: str = "",
        unwritten: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.begins = begins
        self._unwritten = unwritten
        self._record = record
        self._job = job
        self._started = started
        self._evaluated_at: float | None = None
        self._began_at = self._reached = began_at  # the last global step that is known to have been trained
        self._outcome: TrialOutcome | None = None
        self._asked_to_stop_at: float | None = None
        self._killed = False
        self._newest = 0.0  # time of its latest event
        self._outside = ""  # the folder outside of its own in which it trains, as far as it said
        self._objectives = tuple(objectives)
        self._constraints = tuple(constraints)
        self._first = FirstValueFilter()
        metrics = [*(o.metric for o in objectives), *(constraint.metric for constraint in constraints)]
        self._curves: dict[str, dict[int, float]] = {metric: {} for metric in metrics}
        self._folders = ObjectiveFolders(job.folders) if job.command else None  # a model says itself which is its own
        self._tags: set[str] = set()
        self._evaluated: set[int] = set()

    @property
    def number(self) -> int:
        """Its number."""
        return self._record.number

    @property
    def record(self) -> TrialRecord:
        """What the study knew of it when the attempt began, and the tags that it has got since."""
        return self._record

    @property
    def job(self) -> Job:
        """What its process was asked to do."""
        return self._job

    @property
    def noted_at_start(self) -> dict[str, Any]:
        """What the study is to note when its process begins."""
        record = self._record
        return {
            "state": TrialState.RUNNING.value,
            "reason": record.reason,
            "attempts": record.attempts,
            "stop_at": record.stop_at,
            "idle_since": 0.0,
        }

    @property
    def outcome(self) -> TrialOutcome | None:
        """What was decided about it while it ran, or None."""
        return self._outcome

    @property
    def is_outcome_final(self) -> bool:
        """Whether nothing that still comes from this attempt can change its outcome."""
        return self._outcome is not None and (
            self._outcome.state.is_finished or (self._killed and self._outcome.state is TrialState.PAUSED)
        )

    @property
    def may_time_out(self) -> bool:
        """Whether a time limit applies: nothing was decided, or it pauses by itself and its process still runs."""
        return self._outcome is None or (self._outcome.state is TrialState.PAUSED and not self.is_outcome_final)

    @property
    def reached_target(self) -> bool:
        """Whether it was stopped because it has reached the sweep's target."""
        return self._outcome is not None and STOPPED_AT in self._record.tags

    @property
    def step(self) -> int:
        """The last global step at which it was evaluated; 0 before the first."""
        return max(self._evaluated, default=0)

    @property
    def trained(self) -> int:
        """Global steps that this attempt has trained, as far as is known."""
        return max(0, self._reached - self._began_at)

    @property
    def to_train(self) -> int | None:
        """Global steps until it pauses or ends by itself; None if that is not known."""
        end = self.job.stop_at or self.job.train.max_steps
        return max(0, end - self._reached) if end else None

    def pauses_at(self, step: int) -> bool:
        """Whether it is to pause at an evaluation; a model evaluates exactly there, a command perhaps beside."""
        every = self.job.train.evaluate_every if self.job.model is None else 1
        return self.job.stop_at is not None and comes_to(self.job.stop_at, step, every or 1)

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
        """The curves of the other objectives and of the metrics that are constrained."""
        first = self._objectives[0].metric
        return {metric: dict(sorted(c.items())) for metric, c in self._curves.items() if metric != first}

    @property
    def latest(self) -> float | None:
        """The first objective's value at its last step."""
        curve = self._curves[self._objectives[0].metric]
        return curve[max(curve)] if curve else None

    @property
    def ranked_steps(self) -> list[int]:
        """The global steps that it, or an earlier attempt, was evaluated at, the best first."""
        first = self._objectives[0]
        earlier = {first.metric: self._record.curve, **self._record.others}
        known = {metric: {**curve, **earlier.get(metric, {})} for metric, curve in self._curves.items()}
        return ranked_steps(known[first.metric], first.goal, self._constraints, known)

    @property
    def folder_tags(self) -> dict[str, str]:
        """Which folder's evaluations counted of a command, as tags."""
        return self._folders.tags if self._folders else {}

    @property
    def choices(self) -> list[str]:
        """Lines of what was chosen if a command wrote an objective in several folders."""
        return self._folders.choices if self._folders else []

    def mark_begun(self, now: float) -> None:
        """Count its time from here: until now it may have waited for room in a cluster."""
        self._started = now

    def mark_evaluated(self, now: float) -> None:
        """Note an evaluation of a step that no earlier attempt has shown: with the first one its start is over."""
        if self._evaluated_at is None:
            self._evaluated_at = now

    def report(self, evaluation: Evaluation) -> Report | None:
        """Add an evaluation from the event files; None if nothing of it is new, or comes after the trial's outcome."""
        self._reached = max(self._reached, evaluation.step)
        self._newest = max(self._newest, evaluation.time)
        if self.is_outcome_final or (fresh := self._first.filter(evaluation)) is None:
            return None
        before = self._is_complete(fresh.step)
        if fresh.folder and not fresh.is_secondary:
            self._evaluated.add(fresh.step)
            self._tags.update(fresh.scalars)
        is_late = False
        for metric, curve in self._curves.items():
            if metric in fresh.scalars and fresh.folder and self._counts(metric, fresh) and fresh.step not in curve:
                curve[fresh.step] = fresh.scalars[metric]
                is_late |= before and fresh.step not in self._record.others.get(metric, {})
        return Report(fresh, self._is_complete(fresh.step) and not before, is_late)

    def decide(self, outcome: TrialOutcome) -> None:
        """Set what becomes of it when its process has ended.

        What finishes it stands above a pause, and a pause above an interruption.
        """
        before, pause = self._outcome, outcome.state is TrialState.PAUSED
        if before is None or outcome.state.is_finished or (pause and before.state is TrialState.INTERRUPTED):
            self._outcome = outcome

    def complete_at_target(self, step: int) -> None:
        """Complete it at a step at which it has reached the sweep's target."""
        self._record = replace(self._record, tags={**self._record.tags, STOPPED_AT: str(step)})
        self.decide(TrialOutcome(TrialState.COMPLETE, f"reached the target at step {step}"))

    def note_stop_request(self, now: float, kill: bool) -> bool:
        """Note that it is to stop; return whether its backend is to be told, because it was not yet."""
        if self._asked_to_stop_at is not None and (self._killed or not kill):
            return False
        self._asked_to_stop_at = now
        self._killed = self._killed or kill
        return True

    def is_overdue(self, now: float, grace_s: float) -> bool:
        """Whether it was asked to stop so many seconds ago, and still runs."""
        return self._asked_to_stop_at is not None and now - self._asked_to_stop_at > grace_s

    def note_kill_without_checkpoint(self, grace_s: float) -> None:
        """Add to the reason of its outcome that it was killed ``grace_s`` seconds after it was asked to stop."""
        if self._outcome is not None and not self._killed:
            why = f"killed {grace_s:g} s later, as it came to no checkpoint"
            self._outcome = replace(self._outcome, reason=f"{self._outcome.reason}; {why}")

    def seconds(self, now: float) -> float:
        """Return for how long it has run in all attempts, pauses left out."""
        return self._record.seconds + (now - self._started if self._started is not None else 0.0)

    def add_result(self, result: JobResult) -> None:
        """Add what its process said when it ended."""
        self._tags.update(result.seen)
        self._outside = result.tags.get(TRAINED_OUTSIDE, "")
        self._reached = max(self._reached, result.step or 0)

    def was_judged(self, step: int) -> bool:
        """Whether an earlier attempt has shown this step, and was judged by it.

        Its driver may have died before it obeyed the last decision, which is therefore obeyed again.
        """
        return step in self._record.curve and step != max(self._record.curve)

    def is_at_end(self, step: int) -> bool:
        """Whether a step is the end of its training."""
        return self._job.train.max_steps is not None and step >= self._job.train.max_steps

    def as_record(self) -> TrialRecord:
        """Return the trial as it stands."""
        return replace(self._record, curve=self.curve, others=self.others)

    def at(self, step: int) -> dict[str, float]:
        """Return what each objective and constraint has at ``step``, the first objective first."""
        return {metric: curve[step] for metric, curve in self._curves.items() if step in curve}

    def losses(self, step: int) -> list[float]:
        """Return each objective's loss as of ``step``, at which all have a value; see ``losses_at``."""
        return losses_at(self._objectives, self._curves, step, self._constraints)

    def values(self) -> dict[str, float]:
        """Return the objectives of the trial as it stands, by the rules of the sweep; empty if it has none."""
        return objective_values(self._objectives, self._curves)

    def misses_objective(self) -> bool:
        """Whether it was evaluated twice and an objective never came."""
        return len(self._evaluated) > 1 and self.was_evaluated_without_objective

    @property
    def was_evaluated_without_objective(self) -> bool:
        """Whether it was evaluated, and an objective or a constraint has no value yet."""
        # A command may write whatever it likes before its objective.
        return not self._job.command and bool(self._evaluated) and any(not curve for curve in self._curves.values())

    def missing(self) -> TrialOutcome:
        """Say which objective did not come, and which tags there are."""
        metrics = [metric for metric, curve in self._curves.items() if not curve]
        objectives = {objective.metric for objective in self._objectives}
        what = "objective" if objectives.intersection(metrics) else "constraint"
        elsewhere = {m: line for m in metrics if self._folders and (line := self._folders.elsewhere(m))}
        nowhere = [metric for metric in metrics if metric not in elsewhere]
        said = [missing_objective(nowhere, self.tags, what, self._unwritten())] if nowhere else []
        said += elsewhere.values()
        if self._outside:
            said.append(
                f"its Estimator trained in {self._outside}, and only what is below the trial's own folder is read: "
                "give the command that one, as in --job-dir {trial_dir}"
            )
        return TrialOutcome(TrialState.FAIL, "; ".join(said), objective_missing=True)

    def ended(
        self, outcome: TrialOutcome, result: JobResult, now: float, wall_time: float, tags: Mapping[str, str]
    ) -> TrialRecord:
        """Return the trial as this attempt leaves it.

        Args:
            outcome: What becomes of it.
            result: How its process ended.
            now: On the loop's clock, in seconds.
            wall_time: In seconds since 1970; a node's clock may be ahead of it.
            tags: Of its run, beside those that it has and its process gave it.
        """
        values = self.values()
        if outcome.state is TrialState.COMPLETE and result.ending is JobStatus.NAN:
            values = {objective.metric: objective.goal.worst for objective in self._objectives}
        return replace(
            self._record,
            state=outcome.state,
            reason=outcome.reason,
            seconds=self.seconds(now),
            starting=self._record.starting + self.seconds(self._evaluated_at or now) - self._record.seconds,
            trained=self._record.trained + self.trained,
            values=values,
            curve=self.curve,
            others=self.others,
            idle_since=0.0 if result.ending is JobStatus.LOST else max(wall_time, self._newest),
            tags={**self._record.tags, **result.tags, **self.folder_tags, **tags},
        )

    def _counts(self, metric: str, evaluation: Evaluation) -> bool:
        return self._folders.counts(metric, evaluation) if self._folders else not evaluation.is_secondary

    def _is_complete(self, step: int) -> bool:
        return all(step in self._curves[objective.metric] for objective in self._objectives)
