"""The one loop that joins everything: ask, start, follow, report, judge, tell, record.

What is recorded goes into the record log before the study is told: a driver that is killed between
the two finds it again in the event files and records it twice, which counts once.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from tuner.backends import Ended, Reported, Started
from tuner.jobs import Ending
from tuner.paths import SweepDir
from tuner.ranking import best_step
from tuner.records import Evaluated, TrialChanged, TrialOpened
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.sweep.candidates import Candidates
from tuner.sweep.disk import check_writable
from tuner.sweep.limits import End, used_up
from tuner.sweep.outcomes import judged
from tuner.sweep.parts import STOPPED_AT, Parts, Stopping
from tuner.sweep.progress import Progress, TrialProgress
from tuner.sweep.running import Outcome, Running, judge_end
from tuner.sweep.starting import begins_at, next_life, put_checkpoint
from tuner.sweep.tally import Tally
from tuner.sweep.telling import Telling
from tuner.trial import checkpoints
from tuner.values import Evaluation, TrialState, Verdict

__all__ = ["Loop", "Parts", "Stopping"]

TICK_S = 0.25
SHOW_S = 0.1  # at most so often a watcher is shown where the sweep stands
GRACE_S = 30.0  # from asking a trial to stop until it is killed
NOTE = "tuner.note"  # what a trial's process has to say of the model


class Loop:
    """Run the trials of a sweep until its limits are reached or somebody stops it.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        parts: What it works with.
        workers: Trials at a time.
        threads: Threads of a trial's sessions.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir, parts: Parts, workers: int, threads: int) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._parts = parts
        self._workers = workers
        self._threads = threads
        self._running: dict[int, Running] = {}
        self._tally = Tally(spec, sweep_dir)
        self._telling = Telling(spec, sweep_dir, parts)
        self._candidates = Candidates(spec, parts.study, parts.scheduler, self._settle, self._tally.recall, parts.peers)
        self._asked: set[int] = set()  # trials that run and were asked to stop
        self._said_stopping = False
        self._end: End | None = None
        self._spent_s = parts.study.spent_s
        self._opened = parts.clock()
        self._shown = 0.0

    def run(self) -> End | None:
        """Run until the limits are reached; return which, or None if somebody stopped the sweep."""
        self._candidates.recall()
        while True:
            self._judge_limits()
            self._start_trials()
            if not self._running and (self._ends or not self._candidates.elsewhere):
                break
            messages = self._parts.backend.wait(TICK_S)
            self._mind_requests()  # first: a signal to all processes may have ended trials as well
            for message in messages:
                if isinstance(message, Started):
                    self._take_start(message)
                elif isinstance(message, Reported):
                    self._take(message.trial, message.evaluation)
                else:
                    self._take_end(message)
            self._mind_the_time()
            if line := self._parts.look_after():
                self._parts.watcher.say(line)
            self._show()
        return self._close()

    def _show(self) -> None:
        """Show where the sweep stands, now and then: it is counted anew over all that run."""
        now = time.monotonic()
        if now >= self._shown + SHOW_S:
            self._shown = now
            self._parts.watcher.show(self.progress())

    def progress(self) -> Progress:
        """Return where the sweep stands."""
        running = tuple(
            TrialProgress(r.trial, r.step, self._spec.train.max_steps, r.latest) for r in self._running.values()
        )
        done = self._tally.settled
        left = None
        if done and self._end is None:
            left = self._elapsed_s() / done * max(0, self._spec.search.trials - done)
        counts = self._tally.counts + Counter({TrialState.PAUSED: self._candidates.paused})
        return Progress(running, self._spec.search.trials, counts, self._tally.best, self._elapsed_s(), left)

    @property
    def _ends(self) -> bool:
        return self._end is not None or self._parts.stopping.asked

    def _start_trials(self) -> None:
        while not self._ends and len(self._running) < self._workers:
            record = self._candidates.next()
            if record is None:
                return
            if record.state.settled:
                self._refuse(record)
                self._judge_limits()
            else:
                self._start(record)

    def _refuse(self, record: TrialRecord) -> None:
        """Settle a trial that cannot begin; it is recorded as the others are."""
        self._parts.log.append(TrialOpened(record.number, self._parts.now(), {**record.params}, record.tags))
        self._settle(record)

    def _start(self, record: TrialRecord) -> None:
        number, parts = record.number, self._parts
        try:
            put_checkpoint(record, self._spec, self._dir, parts.fork)
        except OSError as error:
            self._refuse(replace(record, state=TrialState.FAIL, reason=f"it cannot begin: {error}"))
            return
        stop_at = parts.scheduler.next_stop(number, begins_at(record))
        trial_dir, now = self._dir.trial(number), parts.now()
        running = next_life(record, self._spec, trial_dir, stop_at, self._threads, parts.clock())
        parts.log.append(TrialOpened(number, now, running.job.params, record.tags))
        parts.log.append(TrialChanged(number, now, TrialState.RUNNING, step=record.step))
        parts.study.note(number, state=TrialState.RUNNING.value, lives=running.job.life, stop_at=stop_at)
        self._running[number] = running
        parts.backend.start(running.job, trial_dir)

    def _take(self, trial: int, evaluation: Evaluation) -> None:
        """Report an evaluation, unless the trial's verdict came before it."""
        running = self._running.get(trial)
        if running is not None:
            running.reached = max(running.reached, evaluation.step)
        if running is None or (running.verdict is not None and running.verdict.state.settled):
            return
        fresh, whole = running.take(evaluation)
        if fresh is None:
            return
        self._parts.log.append(Evaluated(trial, fresh))
        if running.misses_objective():
            self._decide(running, running.missing(), kill=True)
        if whole:
            self._judge(running, fresh.step)

    def _judge(self, running: Running, step: int) -> None:
        """Report a step to study and scheduler, and obey the scheduler's verdict."""
        reported = running.record.curve
        if step not in reported:
            self._parts.study.report(running.trial, step, running.at(step))
        verdict = self._parts.scheduler.report(running.trial, step, running.losses(step))
        self._mind_the_target(running, step)
        self._thin_checkpoints(running)
        at_end = self._spec.train.max_steps is not None and step >= self._spec.train.max_steps
        # What an earlier life has shown was judged then; but the driver may have died before it
        # obeyed the last verdict.
        judged_before = step in reported and step != max(reported)
        if verdict is Verdict.STOP and not at_end and not judged_before:
            name = self._spec.search.scheduler.name
            self._decide(running, Outcome(TrialState.PRUNED, f"by {name} at step {step}"), kill=True)
        if verdict is Verdict.PAUSE and step == running.job.stop_at and running.verdict is None:
            # A model stops there by itself, its checkpoint written; a command has to be told.
            running.verdict = Outcome(TrialState.PAUSED, f"at its rung, step {step}")
            if running.job.model is None:
                self._stop(running, kill=False)

    def _mind_the_target(self, running: Running, step: int) -> None:
        """Complete a trial that has shown what the whole sweep is after; its checkpoint is there."""
        if self._spec.search.repeats > 1:
            return  # a mean is to meet it
        objective = self._spec.objectives[0]
        value = running.values().get(objective.metric)
        at_end = self._spec.train.max_steps is not None and step >= self._spec.train.max_steps
        if value is None or at_end or not self._tally.limits.meets_target(value):
            return
        record = replace(running.record, state=TrialState.COMPLETE, others=running.others)
        if judged(record, self._spec).feasible:
            running.record = replace(running.record, tags={**running.record.tags, STOPPED_AT: str(step)})
            self._decide(running, Outcome(TrialState.COMPLETE, f"reached the target at step {step}"), kill=True)

    def _decide(self, running: Running, outcome: Outcome, kill: bool) -> None:
        """Decide what becomes of a trial while it runs, and stop it."""
        if running.verdict is None or outcome.state.settled:
            running.verdict = outcome
        self._stop(running, kill)

    def _stop(self, running: Running, kill: bool) -> None:
        if running.asked_to_stop_at is None or (kill and not running.killed):
            running.asked_to_stop_at = self._parts.clock()
            self._asked.add(running.trial)
            running.killed = running.killed or kill
            self._parts.backend.stop(running.trial, kill)

    def _thin_checkpoints(self, running: Running) -> None:
        """Keep of a trial's checkpoints what it resumes from and its best."""
        if running.job.command:
            return  # its checkpoints are its own
        best = best_step(running.curve, self._spec.objectives[0].goal)
        checkpoints.thin(self._dir.trial(running.trial).path, keep=[best] if best is not None else [])
        if line := self._tally.thin_checkpoints(self._running, self._candidates.unsettled):
            self._parts.watcher.say(line)

    def _take_start(self, message: Started) -> None:
        """Count a trial's time from here: it may have waited for room in a cluster."""
        if message.trial in self._running:
            self._running[message.trial].started = self._parts.clock()
            begins = self._running[message.trial].begins or "running"
            self._parts.watcher.say(f"trial {message.trial}: {begins}, {message.where}")

    def _take_end(self, message: Ended) -> None:
        running = self._running.pop(message.trial, None)
        self._asked.discard(message.trial)
        if running is None:
            return
        search, result = self._spec.search, message.result
        if result.ending is Ending.FAILED and running.verdict is None:
            check_writable(self._dir.trial(message.trial).path, result.reason)
        self._telling.note(result.tags.get(NOTE, ""))
        running.saw(result.seen)
        for note in running.choices:
            self._telling.note(note)
        running.reached = max(running.reached, result.step or 0)
        self._tally.train(running.trial, running.trained)
        outcome = judge_end(running, result, message.damage, search.nan, search.retries)
        damage = self._telling.damage(message.trial, message.damage)
        record = running.ended(outcome, result, self._parts.clock(), damage)
        if not outcome.state.settled:
            self._set_aside(record, result.ending)
            return
        self._settle(record)
        # What one command did not write, another one may: failure limits end a sweep of commands.
        if outcome.objective_missing and not self._tally.valued and not running.job.command:
            self._end = self._end or End(outcome.reason, failed=True)

    def _settle(self, record: TrialRecord) -> None:
        """Tell everybody that a trial will not run again."""
        record = self._telling.settle(record)
        self._candidates.settled(record)
        self._tally.count(record)
        self._parts.on_trial_end(record)

    def _set_aside(self, record: TrialRecord, ending: Ending) -> None:
        """Keep a trial that goes on later: at once, when it is promoted, or when the sweep is resumed."""
        waiting = self._telling.set_aside(record, ending)
        if record.state in (TrialState.RUNNING, TrialState.PAUSED):
            self._candidates.set_aside(waiting)
        if record.state is TrialState.PAUSED:
            self._parts.scheduler.settle(record.number, TrialState.PAUSED)

    def _judge_limits(self) -> None:
        if self._end is None:
            first = self._spec.objectives[0].metric
            ended = [r for r in self._running.values() if r.verdict is not None and STOPPED_AT in r.record.tags]
            latest = [r.values()[first] for r in ended]
            steps = self._tally.steps + sum(running.trained for running in self._running.values())
            self._end = self._tally.limits.reached(self._elapsed_s(), steps, latest)

    def _mind_requests(self) -> None:
        """Stop all trials where somebody asked for it, or the sweep ends at once."""
        stopping = self._parts.stopping
        if not self._running or not (stopping.asked or (self._end is not None and self._end.at_once)):
            return
        if not self._said_stopping and not stopping.at_once:
            self._said_stopping = True
            self._telling.stopping(len(self._running), GRACE_S, self._end)
        why = self._end.reason if self._end else "the sweep was stopped"
        for running in self._running.values():
            self._decide(running, Outcome(TrialState.INTERRUPTED, why), kill=stopping.at_once)

    def _mind_the_time(self) -> None:
        """Stop what took too long or did not obey."""
        now, limit = self._parts.clock(), self._spec.search.trial_timeout_s
        if limit is None and not self._asked:
            return
        for running in list(self._running.values()):
            spent = running.record.seconds + now - running.started
            if limit is not None and spent > limit and running.verdict is None:
                reason = f"ran longer than its limit of {limit:g} s"
                self._decide(running, Outcome(TrialState.FAIL, reason), kill=False)
            if running.asked_to_stop_at is not None and now - running.asked_to_stop_at > GRACE_S:
                running.came_to_no_checkpoint(GRACE_S)
                self._stop(running, kill=True)

    def _elapsed_s(self) -> float:
        return self._spent_s + self._parts.clock() - self._opened

    def _close(self) -> End | None:
        """Settle what nobody will take up any more; return why the sweep ended."""
        with self._parts.peers.turn():
            self._parts.study.spend(max(0.0, self._elapsed_s() - self._parts.study.spent_s))
        if self._parts.stopping.asked and self._end is None:
            return None
        self._candidates.end_paused()
        self._parts.watcher.show(self.progress())
        return self._end or used_up(self._candidates.begun, self._candidates.total, self._spec.search.trials)
