"""The one loop that joins everything: ask, start, report, decide, obey, tell.

What else happens as trials go on is a reaction (``tuner.driver.reactions``), which the loop calls without knowing it.

What is recorded goes into the record log before the study is told: a driver that is killed between
the two finds it again in the event files and records it twice, which counts once.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from tuner.backends import Ended, Reported, Started
from tuner.domain.job import JobStatus
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import NOTE
from tuner.domain.trial import Decision, TrialOutcome, TrialRecord, TrialState
from tuner.driver.context import LoopContext
from tuner.driver.disk import FolderWatch, check_writable, folder_gone
from tuner.driver.launch import copy_donor_checkpoint, first_step, new_attempt
from tuner.driver.lifecycle import TrialLifecycle
from tuner.driver.log_end import with_last_error
from tuner.driver.outcomes import at_its_rung, outcome_of_end
from tuner.driver.progress import Progress
from tuner.driver.reactions import own_reactions
from tuner.driver.running_trial import RunningTrial
from tuner.driver.status import SweepStatus, in_order_of_ending, trial_progress
from tuner.driver.stop_criteria import StopReason, trials_used_up
from tuner.driver.stop_requests import trials_to_stop
from tuner.driver.time_left import time_left
from tuner.driver.trial_queue import TrialQueue
from tuner.files.paths import SweepDir
from tuner.records.record import Evaluated, TrialChanged, TrialOpened

TICK_S = 0.25  # the longest wait for a message
SHOW_S = 0.1  # the shortest time between two updates of the display
GRACE_S = 30.0  # from asking a trial to stop until it is killed
LATE_S = 5.0  # without a message for so long, a trial that seems to take too long may have ended: the database was away


class Loop:
    """Run the trials of a sweep until its limits are reached or somebody stops it.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        context: What it works with.
        workers: Trials at a time.
        threads: Threads of a trial's sessions.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir, context: LoopContext, workers: int, threads: int) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._context = context
        self._workers = workers
        self._threads = threads
        self._running: dict[int, RunningTrial] = {}
        self._status = SweepStatus(spec)
        self._lifecycle = TrialLifecycle(spec, sweep_dir, context)
        self._queue = TrialQueue(spec, context.study, context.scheduler, context.peers, self._lifecycle.paused)
        own = own_reactions(spec, sweep_dir, context.display.line, context.study.trials, self._lifecycle.say_once)
        self._reactions = (*own, *context.reactions)
        self._said_stopping = False
        self._end: StopReason | None = None
        self._spent_s = context.study.spent_s
        self._opened_at = self._heard_at = context.clock()
        self._folder = FolderWatch(sweep_dir.records_file)
        self._shown = 0.0

    def run(self) -> StopReason | None:
        """Run until the limits are reached; return which, or None if somebody stopped the sweep."""
        self._see_earlier_trials()
        while True:
            self._check_stop_criteria()
            self._start_trials()
            if not self._running and (self._is_ending or not self._queue.elsewhere):
                break
            if self._folder.is_gone:
                raise folder_gone(self._dir)
            messages = self._context.backend.wait(TICK_S)
            self._heard_at = self._context.clock()
            self._handle_stop_requests()  # first: a signal to all processes may have ended trials as well
            for message in messages:
                if isinstance(message, Started):
                    self._on_started(message)
                elif isinstance(message, Reported):
                    self._on_reported(message)
                else:
                    self._on_ended(message)
            self._stop_single_trials()
            self._enforce_time_limits()
            if line := self._context.poll_recorder():
                self._context.display.line(line)
            self._show()
        return self._close()

    def _see_earlier_trials(self) -> None:
        """See all trials of earlier drivers, and of others that are at work."""
        with self._context.peers.exclusive():
            self._sync()
            for record in self._queue.replaced():
                self._finish(record)

    def _sync(self) -> None:
        """Count what has become of trials that do not run here."""
        for record in in_order_of_ending(self._queue.sync()):
            self._status.add_earlier(record)
            for reaction in self._reactions:
                reaction.on_finished_elsewhere(record) if record.state.is_finished else reaction.on_suspended(record)

    def _show(self) -> None:
        """Show where the sweep stands, now and then: it is counted anew over all that run."""
        now = time.monotonic()
        if now >= self._shown + SHOW_S:
            self._shown = now
            self._context.display.update(self.progress())

    def total(self) -> int:
        """Return how many trials the sweep may have, as far as is known now."""
        return self._queue.total

    def progress(self) -> Progress:
        """Return where the sweep stands."""
        running = tuple(map(trial_progress, self._running.values()))
        left = None
        if self._end is None:
            planned = self._context.scheduler.planned_steps(self._queue.total)
            trained = self._status.trained(self._queue.unsettled, self._running, self._queue.to_begin, planned)
            left = time_left(self._spec.search, trained, self._elapsed_s(), self._workers)
        counts = self._status.counts + Counter({TrialState.PAUSED: self._queue.paused})
        return Progress(running, self._spec.search.trials, counts, self._status.best, self._elapsed_s(), left)

    @property
    def _is_ending(self) -> bool:
        return self._end is not None or self._context.stopping.asked

    def _start_trials(self) -> None:
        stopping = self._context.stopping
        while not stopping.asked and len(self._running) < self._workers and self._queue.may_start(self._end):
            with self._context.peers.exclusive() as shared:
                if shared:
                    self._sync()
                following = self._queue.next()
                for record in following.finished:
                    self._finish(record)
            if following.start is None:
                return
            if following.start.state.is_finished:
                self._finish_unstarted(following.start)
                self._check_stop_criteria()
            else:
                self._start(following.start)

    def _finish_unstarted(self, record: TrialRecord) -> None:
        """Finish a trial that cannot begin; it is recorded as the others are."""
        self._context.log.append(self._opened_record(record))
        self._finish(record)

    def _start(self, record: TrialRecord) -> None:
        number, context = record.number, self._context
        try:
            copy_donor_checkpoint(record, self._spec, self._dir, context.fork)
        except OSError as error:
            self._finish_unstarted(replace(record, state=TrialState.FAIL, reason=f"it cannot begin: {error}"))
            return
        stop_at = context.scheduler.next_stop(number, first_step(record))
        trial_dir, now = self._dir.trial(number), context.now()
        running = new_attempt(record, self._spec, trial_dir, stop_at, self._threads)
        changed = TrialChanged(number, now, TrialState.RUNNING, record.reason, step=record.step)
        context.log.append(self._opened_record(record), changed)
        context.study.note(number, **running.noted_at_start)
        self._dir.stop_trial_file(number).unlink(missing_ok=True)  # whoever asked meant an earlier attempt
        self._running[number] = running
        context.backend.start(running.job, trial_dir)

    def _on_reported(self, message: Reported) -> None:
        """Record an evaluation, and judge the trial by it when it has a value of every objective."""
        trial = self._running.get(message.trial)
        report = trial.report(message.evaluation) if trial is not None else None
        if trial is None or report is None:
            return
        self._context.log.append(Evaluated(trial.number, report.evaluation))
        if trial.misses_objective():
            self._decide(trial, trial.missing(), kill=True)
        if report.is_complete:
            self._judge(trial, report.evaluation.step)
        elif report.is_late:
            self._context.study.report(trial.number, report.evaluation.step, trial.at(report.evaluation.step))

    def _judge(self, trial: RunningTrial, step: int) -> None:
        """Report a step to study and scheduler, obey the scheduler's decision, let everything else react."""
        if step not in trial.record.curve:
            self._context.study.report(trial.number, step, trial.at(step))
            trial.mark_evaluated(self._context.clock())
        self._obey(trial, step, self._context.scheduler.report(trial.number, step, trial.losses(step)))
        for reaction in self._reactions:
            reaction.on_evaluation(trial, step)
        if trial.is_outcome_final:
            self._stop(trial, kill=True)

    def _obey(self, trial: RunningTrial, step: int, decision: Decision) -> None:
        if trial.is_at_end(step):
            return
        by = f"by {self._spec.search.scheduler.name} at step {step}"
        if decision is Decision.STOP and not trial.was_judged(step):
            self._decide(trial, TrialOutcome(TrialState.PRUNED, by), kill=True)
        if decision is not Decision.PAUSE or trial.is_outcome_final:
            return
        if trial.pauses_at(step):
            # A model stops there by itself, its checkpoint written; a command has to be told.
            trial.decide(TrialOutcome(TrialState.PAUSED, at_its_rung(step)))
            if trial.job.model is None:
                self._stop(trial, kill=False)
        elif self._context.scheduler.pauses_anywhere:  # by a kill: the checkpoint that was judged is there
            self._decide(trial, TrialOutcome(TrialState.PAUSED, f"by {self._spec.search.scheduler.name}"), kill=True)

    def _decide(self, trial: RunningTrial, outcome: TrialOutcome, kill: bool) -> None:
        """Decide what becomes of a trial while it runs, and stop it."""
        trial.decide(outcome)
        self._stop(trial, kill)

    def _stop(self, trial: RunningTrial, kill: bool) -> None:
        if trial.note_stop_request(self._context.clock(), kill):
            self._context.backend.stop(trial.number, kill)

    def _on_started(self, message: Started) -> None:
        trial = self._running.get(message.trial)
        if trial is None:
            return
        trial.mark_begun(self._context.clock())
        self._lifecycle.started(trial, message.where)
        for reaction in self._reactions:
            reaction.on_begin(trial)

    def _on_ended(self, message: Ended) -> None:
        trial = self._running.pop(message.trial, None)
        if trial is None:
            return
        search, trial_dir = self._spec.search, self._dir.trial(message.trial)
        result = message.result.hidden(self._context.hide)
        if result.ending is JobStatus.FAILED and trial.outcome is None:
            check_writable(trial_dir.path, result.reason)  # a full disk ends the sweep, not this trial
        trial.add_result(result)
        for note in (result.tags.get(NOTE, ""), *trial.choices):
            self._lifecycle.say_once(note)
        self._status.add_steps(trial.number, trial.trained)
        outcome = outcome_of_end(trial, result, message.damage, search.nan, search.retries)
        outcome = with_last_error(outcome, trial_dir.log_file, bool(trial.job.command), self._context.hide)
        damage = self._lifecycle.damage_tag(message.trial, message.damage)
        record = trial.ended(outcome, result, self._context.clock(), self._context.now(), damage)
        if not outcome.state.is_finished:
            self._suspend(record, result.ending)
            return
        self._finish(record)
        # Another trial's command may still write the objective, so only failure limits end such a sweep.
        if outcome.objective_missing and not self._status.has_objective and not trial.job.command:
            self._end = self._end or StopReason(outcome.reason, failed=True)

    def _finish(self, record: TrialRecord) -> None:
        """Tell everybody that a trial will not run again."""
        record = self._lifecycle.finish(record)
        self._queue.finished(record)
        self._status.add_finished(record)
        for reaction in self._reactions:
            reaction.on_finished(record)

    def _suspend(self, record: TrialRecord, ending: JobStatus) -> None:
        """Keep a trial that goes on later: at once, when it is promoted, or when the sweep is resumed."""
        waiting = self._lifecycle.suspend(record, ending)
        for reaction in self._reactions:
            reaction.on_suspended(waiting)
        if record.state in (TrialState.RUNNING, TrialState.PAUSED):
            self._queue.suspend(waiting)
        if record.state is TrialState.PAUSED:
            self._context.scheduler.on_finished(record.number, TrialState.PAUSED)

    def _check_stop_criteria(self) -> None:
        if self._end is None:
            first = self._spec.objectives[0].metric
            latest = [trial.values()[first] for trial in self._running.values() if trial.reached_target]
            steps = self._status.steps + sum(trial.trained for trial in self._running.values())
            self._end = self._status.stop_criteria.reached(self._elapsed_s(), steps, latest)

    def _stop_single_trials(self) -> None:
        """End the trials here that somebody asked to stop: what they were judged by last is what they come to."""
        for number in trials_to_stop(self._dir) if self._running else ():
            trial = self._running.get(number)
            if trial is None:
                continue  # another driver may run it
            self._dir.stop_trial_file(number).unlink(missing_ok=True)
            at = f" at step {trial.step}" if trial.step else " before its first evaluation"
            self._decide(trial, TrialOutcome(TrialState.PRUNED, f"by tuner stop{at}"), kill=True)

    def _handle_stop_requests(self) -> None:
        """Stop all trials if somebody asked for it, or the sweep ends at once."""
        stopping = self._context.stopping
        if not self._running or not (stopping.asked or (self._end is not None and self._end.at_once)):
            return
        if not self._said_stopping and not stopping.at_once:
            self._said_stopping = True
            self._lifecycle.stopping(len(self._running), GRACE_S, self._end)
        why = self._end.reason if self._end else "the sweep was stopped"
        for trial in self._running.values():
            self._decide(trial, TrialOutcome(TrialState.INTERRUPTED, why), kill=stopping.at_once)

    def _enforce_time_limits(self) -> None:
        """Stop what took too long or did not obey."""
        now, limit = self._context.clock(), self._spec.search.trial_timeout_s
        if now > self._heard_at + LATE_S:
            return
        for trial in self._running.values():
            if limit is not None and trial.seconds(now) > limit and trial.may_time_out:
                reason = f"ran longer than its limit of {limit:g} s"
                self._decide(trial, TrialOutcome(TrialState.FAIL, reason), kill=False)
            if trial.is_overdue(now, GRACE_S):
                trial.note_kill_without_checkpoint(GRACE_S)
                self._stop(trial, kill=True)

    def _elapsed_s(self) -> float:
        return self._spent_s + self._context.clock() - self._opened_at

    def _close(self) -> StopReason | None:
        """Finish what nobody will take up any more; return why the sweep ended."""
        with self._context.peers.exclusive() as shared:
            self._context.study.spend(max(0.0, self._elapsed_s() - self._context.study.spent_s))
            if shared:
                self._sync()
            for record in self._queue.abandoned():
                self._context.log.append(self._opened_record(record))
                left = replace(record, state=TrialState.INTERRUPTED, reason="its driver died")
                self._lifecycle.suspend(left, JobStatus.LOST)
        end, stopped = self._end, self._context.stopping.asked
        if not (end.at_once if end else stopped):  # what was interrupted may go on, so what is paused may, too
            with self._context.peers.exclusive() as shared:
                if shared:
                    self._sync()
                for record in self._queue.never_promoted():
                    self._finish(record)
        for reaction in self._reactions:
            reaction.on_end()
        self._context.display.update(self.progress())
        if stopped and end is None:
            return None
        return end or trials_used_up(self._queue.begun, self._queue.total, self._spec.search.trials)

    def _opened_record(self, record: TrialRecord) -> TrialOpened:
        return TrialOpened(record.number, self._context.now(), {**record.params}, record.tags)
