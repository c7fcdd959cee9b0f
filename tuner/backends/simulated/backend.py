"""Trials that train nothing: their learning curves are known, and time is a number.

Comes in: jobs, and the curves that say what each would evaluate. Goes out: what a real backend says,
in the order in which it would have happened. ``wait`` returns one happening at a time and sets the
clock to it, so that thousands of trials on hundreds of workers take seconds, and a decision is obeyed
at the step that it was given for.

What a checkpoint is for real trials is here a line in a file of the sweep: parameters, seed, and where
each attempt began. It is enough, because a course is a function of these.
"""

from __future__ import annotations

import heapq
import json
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tuner.backends.base import Backend, Ended, Message, Placement, Reported, Started
from tuner.backends.resources import WORKERS
from tuner.backends.simulated.curves import Course, Curves, make_curves
from tuner.backends.simulated.event_files import EventFiles
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import Simulation, SweepSpec
from tuner.domain.trial import Evaluation
from tuner.files.atomic import append_lines
from tuner.files.lines import read_lines
from tuner.files.paths import SweepDir, TrialDir
from tuner.records.log import cut_torn_line
from tuner.space.parameters import Params

FOLDER = "eval"


class EventSink(Protocol):
    """Where evaluations are written besides."""

    def write(self, trial_dir: TrialDir, evaluation: Evaluation) -> None:
        """Write an evaluation as a real trial would."""


@dataclass
class _Attempt:
    """One attempt of a trial: from a step, at a time, so many times slower than its course."""

    begin: int
    time: float
    slow: float
    end: int | None = None  # the step of the checkpoint that it left, or None if nobody saw its end


@dataclass
class _Trial:
    """A trial and its attempts so far.

    Attributes:
        begins_at: Global step of another trial's checkpoint that it began with, or 0.
        written: The last step whose evaluation stands in an event file.
    """

    params: Params
    seed: int
    course: Course
    begins_at: int = 0
    attempts: list[_Attempt] = field(default_factory=list)
    written: int = 0

    @property
    def step(self) -> int:
        """The newest checkpoint."""
        return max([self.begins_at, *(attempt.end for attempt in self.attempts if attempt.end is not None)])


@dataclass
class _Running:
    """An attempt that runs: its job, its next evaluation, and what was asked of it."""

    job: Job
    trial: _Trial
    dir: TrialDir
    attempt: _Attempt
    step: int  # the last that was evaluated
    dies_at: int | None
    stopping: bool = False
    killed_at: float | None = None


class SimulatedBackend(Backend):
    """Replay learning curves with a virtual clock; see ``Backend``.

    Args:
        curves: What trials would evaluate.
        settings: How workers behave.
        file: Where what is left of trials is kept, for other drivers; None keeps it in memory.
        events: Writes event files, or None.
        clock: Seconds since 1970 at which the simulation begins, or None for now.
    """

    runs_scripts: ClassVar[bool] = True
    has_custom_resources: ClassVar[bool] = True
    is_simulated: ClassVar[bool] = True

    @classmethod
    def place(cls, spec: SweepSpec, sweep_dir: SweepDir) -> Placement:
        curves = make_curves(spec)
        assert spec.simulation is not None
        events = EventFiles() if spec.simulation.event_files else None
        return Placement(
            cls(curves, spec.simulation, sweep_dir.simulated_file, events), spec.search.workers or WORKERS, 1
        )

    @classmethod
    def is_recorded(cls, spec: SweepSpec) -> bool:
        return spec.simulation is None or spec.simulation.record

    def __init__(
        self,
        curves: Curves,
        settings: Simulation,
        file: Path | None = None,
        events: EventSink | None = None,
        clock: float | None = None,
    ) -> None:
        self._curves = curves
        self._settings = settings
        self._file = file
        self._events = events
        self._now = time.time() if clock is None else clock
        self._trials: dict[int, _Trial] = {}
        self._forks: dict[int, tuple[int, int]] = {}  # trial that will begin to its donor and the step
        self._running: dict[int, _Running] = {}
        self._happenings: list[tuple[float, int, int, int]] = []  # time, order, trial, attempt
        self._order = 0
        self._messages: list[Message] = []
        self._left: Any = None
        self._ended_steps = 0
        self._busy_s = 0.0

    @property
    def steps(self) -> int:
        """Steps trained so far: those of attempts that ended, and of those that run up to now."""
        return self._ended_steps + sum(self._trained(r) for r in self._running.values())

    @property
    def busy_s(self) -> float:
        """Seconds that workers were taken, over all attempts."""
        return self._busy_s + sum(self._now - r.attempt.time for r in self._running.values())

    def clock(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return self._now

    def open(self) -> list[str]:
        if self._file is not None and self._left is None:
            cut_torn_line(self._file)
            self._recall(self._file)
            self._left = self._file.open("ab", buffering=0)
        return ["backend simulated: nothing is trained; times are virtual"]

    def fork(self, donor_dir: Path, step: int, trial_dir: Path) -> None:
        """Let a trial begin with another one's checkpoint, as ``tuner.files.checkpoints.fork``."""
        number, donor = TrialDir(trial_dir).number, TrialDir(donor_dir).number
        if number not in self._trials:
            if donor not in self._trials:
                raise FileNotFoundError(f"no checkpoint of trial {donor}")
            self._forks[number] = (donor, step)

    def start(self, job: Job, trial_dir: TrialDir) -> None:
        trial = self._trials.get(job.trial)
        if trial is None:
            donor, step = self._forks.pop(job.trial, (None, 0))
            trial = self._begin(job.trial, job.params, job.seed, donor, step)
        chance = random.Random(f"{job.seed}/life {len(trial.attempts)}")  # so it draws as former versions did
        slow = self._settings.straggler_factor if chance.random() < self._settings.straggler_share else 1.0
        attempt = _Attempt(trial.step, self._now, slow)
        trial.attempts.append(attempt)
        self._leave(trial=job.trial, begin=attempt.begin, time=attempt.time, slow=slow)
        running = _Running(job, trial, trial_dir, attempt, trial.step, self._death(job, attempt, chance))
        self._running[job.trial] = running
        self._messages.append(Started(job.trial, "simulated"))
        # A trial that begins with a checkpoint evaluates it first; what earlier attempts evaluated comes again.
        steps = [step for step in _grid(job, trial.begins_at) if step <= attempt.begin]
        self._messages += [self._report(running, step) for step in steps]
        self._plan(running)

    def wait(self, timeout_s: float) -> list[Message]:
        if not self._messages and not self._happenings:
            self._now += timeout_s
        while not self._messages and self._happenings:
            at, _, trial, attempt = heapq.heappop(self._happenings)
            running = self._running.get(trial)
            if running is not None and running.job.attempt == attempt:
                self._now = max(self._now, at)
                self._happen(running)
        messages, self._messages = self._messages, []
        return messages

    def stop(self, trial: int, kill: bool) -> None:
        running = self._running.get(trial)
        if running is None or running.killed_at is not None:
            return
        if not kill:
            running.stopping = True
            return
        running.killed_at = self._now + self._settings.reaction_s
        if not self._settings.reaction_s:
            self._happen(running)
        else:
            self._push(running, running.killed_at)

    def close(self) -> None:
        if self._left is not None:
            self._left.close()
            self._left = None
        self._running.clear()
        self._happenings.clear()

    def _happen(self, running: _Running) -> None:
        """Let an attempt come to its next evaluation, or to its end."""
        job = running.job
        if running.killed_at is not None and self._now >= running.killed_at:
            self._end(running, JobStatus.FAILED, "killed by SIGKILL", died=True)
            return
        step = self._next(running)
        assert step is not None
        if running.dies_at is not None and step >= running.dies_at:
            self._end(running, JobStatus.FAILED, "killed by SIGKILL (simulated)", died=True)
            return
        running.step = step
        self._messages.append(self._report(running, step))
        if step >= job.train.end:
            self._end(running, JobStatus.FINISHED)
        elif running.stopping or step == job.stop_at:
            self._end(running, JobStatus.STOPPED)
        else:
            self._plan(running)

    def _end(self, running: _Running, ending: JobStatus, reason: str = "", died: bool = False) -> None:
        del self._running[running.job.trial]
        self._ended_steps += self._trained(running)
        self._busy_s += self._now - running.attempt.time
        running.attempt.end = running.step
        self._leave(trial=running.job.trial, end=running.step)
        step = running.step or None
        self._messages.append(Ended(running.job.trial, JobResult(ending, running.job.attempt, step, reason, died)))

    def _plan(self, running: _Running) -> None:
        """Put the next evaluation of an attempt among the happenings."""
        step = self._next(running)
        if step is None:  # it stands at its end already
            self._end(running, JobStatus.FINISHED)
            return
        self._push(running, self._time(running.trial.course, running.attempt, step))

    def _push(self, running: _Running, at: float) -> None:
        self._order += 1
        heapq.heappush(self._happenings, (at, self._order, running.job.trial, running.job.attempt))

    def _next(self, running: _Running) -> int | None:
        train = running.job.train
        if running.step >= train.end:
            return None
        return min(train.end, (running.step // train.every + 1) * train.every)

    def _time(self, course: Course, attempt: _Attempt, step: int) -> float:
        return attempt.time + attempt.slow * (self._settings.startup_s + course.seconds(attempt.begin, step))

    def _report(self, running: _Running, step: int) -> Reported:
        """Return an evaluation; one that an earlier attempt has shown has the time that it had then."""
        trial = running.trial
        shown = (one for one in trial.attempts if one.begin < step and (one.end is None or step <= one.end))
        # The first attempt evaluates the checkpoint of another trial that it began with.
        attempt = trial.attempts[0] if step == trial.begins_at else next(shown, running.attempt)
        evaluation = Evaluation(step, self._time(trial.course, attempt, step), FOLDER, trial.course.at(step))
        if self._events is not None and step > trial.written:
            trial.written = step
            self._events.write(running.dir, evaluation)
        return Reported(running.job.trial, evaluation)

    def _trained(self, running: _Running) -> int:
        """Return the steps that an attempt has trained up to now, those behind its last evaluation too."""
        attempt, course = running.attempt, running.trial.course
        ahead = self._next(running)
        done = running.step - attempt.begin
        if ahead is None:
            return done
        at = self._time(course, attempt, running.step) if running.step > attempt.begin else attempt.time
        until = self._time(course, attempt, ahead)
        share = (self._now - at) / (until - at) if until > at else 0.0
        return done + int((ahead - running.step) * min(1.0, max(0.0, share)))

    def _death(self, job: Job, attempt: _Attempt, chance: random.Random) -> int | None:
        """Return the step at which an attempt dies before it is evaluated, or None."""
        end = job.stop_at or job.train.end
        if chance.random() >= self._settings.failures or end <= attempt.begin:
            return None
        return attempt.begin + 1 + int(chance.random() * (end - attempt.begin))

    def _begin(self, number: int, params: Params, seed: int, donor: int | None, step: int) -> _Trial:
        if donor is None:
            course = self._curves.begin(params, seed)
        else:
            course = self._curves.fork(self._trials[donor].course, step, params, seed)
        trial = self._trials[number] = _Trial(params, seed, course, begins_at=step)
        self._leave(trial=number, params=dict(params), seed=seed, donor=donor, step=step)
        return trial

    def _leave(self, **line: Any) -> None:
        if self._left is not None:
            append_lines(self._left, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def _recall(self, file: Path) -> None:
        """Take up what earlier drivers have left."""
        for line in read_lines(file):
            try:
                self._recall_line(line.mapping() or {})
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                hint = "put the file back from a copy, or run the simulation again under another name"
                raise line.damage("what is left of a simulated trial", hint) from error

    def _recall_line(self, line: Mapping[str, Any]) -> None:
        number = line["trial"]
        if "params" in line:
            self._begin(number, line["params"], line["seed"], line["donor"], line["step"])
        elif "begin" in line:
            self._trials[number].attempts.append(_Attempt(line["begin"], line["time"], line["slow"]))
        else:
            attempt = self._trials[number].attempts[-1]
            attempt.end = line["end"]
            ended = self._time(self._trials[number].course, attempt, max(attempt.begin, attempt.end))
            self._now = max(self._now, ended)


def _grid(job: Job, begin: int) -> Iterable[int]:
    """Return the steps at which a trial is evaluated: that which it begins with, then every so many, and its end."""
    every, last = job.train.every, job.train.end
    return [*([begin] if begin else []), *range((begin // every + 1) * every, last, every), last]
