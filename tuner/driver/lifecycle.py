"""What has become of a trial, told: to whoever watches, the record log, the study and the scheduler."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tuner.domain.job import JobStatus
from tuner.domain.scoring import curves_of, objective_values, with_constraints
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import DAMAGE
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.context import LoopContext
from tuner.driver.running_trial import RunningTrial
from tuner.driver.stop_criteria import StopReason
from tuner.driver.trial_queue import NEVER_RESUMED
from tuner.files import checkpoints
from tuner.files.paths import SweepDir
from tuner.records.record import TrialChanged
from tuner.space.parameters import Params
from tuner.text import cell_text


class TrialLifecycle:
    """Tell everybody what becomes of trials, the record log before the study.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        context: Who is told.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir, context: LoopContext) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._context = context
        self._said: set[str] = set()

    def stopping(self, running: int, grace_s: float, end: StopReason | None) -> None:
        """Tell that the trials that run are asked to stop.

        Args:
            running: How many.
            grace_s: After so many seconds those are killed that came to no checkpoint.
            end: The limit that was reached, or None if somebody asked.
        """
        trials = (
            "1 trial ends at its next checkpoint" if running == 1 else f"{running} trials end at their next checkpoints"
        )
        again = "" if end else "; asked again (Ctrl-C), at once"
        why = end.reason if end else "stopping"
        self._context.display.line(f"{why}: {trials}, or by a kill in {grace_s:g} s{again}")

    def started(self, running: RunningTrial, where: str) -> None:
        """Tell that a trial's process began: from where it goes on, else with which parameters."""
        constants = self._spec.space.constants
        record = running.record
        line = start_line(running.number, running.begins, where, record.params, constants, record.reason)
        self._context.display.line(line)

    def finish(self, record: TrialRecord) -> TrialRecord:
        """Tell that a trial will not run again; return it with what its constraints say of it."""
        if record.state is TrialState.FAIL:
            record = replace(record, values={})
        record = with_constraints(record, self._spec)
        self._state(record)
        self._context.study.finish(
            record.number,
            record.state,
            record.values,
            record.constraints,
            reason=record.reason,
            seconds=record.seconds,
            starting=record.starting,
            trained=record.trained,
            idle_since=record.idle_since,
            tags=dict(record.tags),
        )
        self._tell_seconds(record)
        self._context.scheduler.on_finished(record.number, record.state)
        checkpoints.tidy(self._dir.trial(record.number).path)
        return record

    def suspend(self, record: TrialRecord, ending: JobStatus) -> TrialRecord:
        """Tell that a trial goes on later; return it as it waits.

        Args:
            record: RUNNING if it goes on at once, PAUSED or INTERRUPTED.
            ending: How its process ended.
        """
        if record.state is TrialState.RUNNING:
            failures = record.failures + (ending is JobStatus.FAILED)
            times_lost = record.times_lost + (ending is JobStatus.LOST)
            record = replace(record, state=TrialState.INTERRUPTED, failures=failures, times_lost=times_lost)
        shown = _objectives(record.values) if record.state is TrialState.PAUSED else ""
        record = replace(record, values={})
        self._state(replace(record, reason=record.reason + shown))  # told; the study's is the same for many trials
        self._context.study.note(
            record.number,
            state=record.state.value,
            reason=record.reason,
            seconds=record.seconds,
            starting=record.starting,
            trained=record.trained,
            failures=record.failures,
            times_lost=record.times_lost,
            idle_since=record.idle_since,
        )
        self._tell_seconds(record)
        return record

    def paused(self, record: TrialRecord) -> None:
        """Tell that a trial had paused when its driver died."""
        shown = _objectives(objective_values(self._spec.objectives, curves_of(record, self._spec.objectives)))
        self._state(replace(record, reason=record.reason + shown))
        self._context.study.note(record.number, state=record.state.value, reason=record.reason)

    def _tell_seconds(self, record: TrialRecord) -> None:
        self._context.scheduler.took(record.number, record.seconds, record.starting, record.trained, record.attempts)

    def damage_tag(self, trial: int, damage: Sequence[str]) -> dict[str, str]:
        """Say what could not be read of a trial's event files, once, and return it as a tag."""
        for line in damage:
            self.say_once(f"trial {trial}: {line}")
        return {DAMAGE: "; ".join(damage)} if damage else {}

    def say_once(self, note: str) -> None:
        """Show a note, once: later trials would repeat what the first one that ends says, of other steps."""
        kind = re.sub(r"\bstep \d+", "step", note)
        if note and kind not in self._said:
            self._said.add(kind)
            self._context.display.line(f"note: {note}")

    def _state(self, record: TrialRecord) -> None:
        """Record and show the state that a trial entered."""
        changed = TrialChanged(
            record.number,
            self._context.now(),
            record.state,
            record.reason,
            record.values,
            record.step,
            record.tags,
        )
        self._context.log.append(changed)
        if line := state_line(changed):
            self._context.display.line(line)


def start_line(trial: int, begins: str, where: str, params: Params, constants: Params, why: str) -> str:
    """Return the line of a trial whose process began.

    Args:
        trial: Its number.
        begins: From where it goes on; empty if it is the trial's beginning: then its parameters are said.
        where: Where it runs, or nothing.
        params: Parameters and constants.
        constants: Those among them that all trials have.
        why: Why it was chosen, or nothing.
    """
    given = {name: value for name, value in params.items() if name not in constants}
    said = [begins or "running", where, f"with {cell_text(given)}" if given and not begins else ""]
    return f"trial {trial}: {', '.join(filter(None, said))}" + (f" ({why})" if why else "")


def state_line(changed: TrialChanged) -> str:
    """Return the line of a trial that entered a state; nothing if it waits no more: its line was that of its pause."""
    if changed.reason == NEVER_RESUMED:
        return ""
    reason = f" ({changed.reason})" if changed.reason else ""
    at = f" at step {changed.step}" if changed.step else ""
    return f"trial {changed.trial}: {changed.state.value}{at}{_objectives(changed.values)}{reason}"


def _objectives(values: Mapping[str, float]) -> str:
    """Say what a trial comes to, to be added to a line."""
    return "".join(f", {metric} {value:.6g}" for metric, value in values.items())
