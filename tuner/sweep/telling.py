"""What has become of a trial, told: to whoever watches, the record log, the study and the scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.jobs import Ending
from tuner.paths import SweepDir
from tuner.records import TrialChanged
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.sweep.limits import End
from tuner.sweep.outcomes import judged
from tuner.sweep.parts import Parts
from tuner.trial import checkpoints
from tuner.values import TrialState

DAMAGE = "tuner.event_damage"  # what could not be read of a trial's event files


class Telling:
    """Tell everybody what becomes of trials, the record log before the study.

    Args:
        spec: The sweep.
        sweep_dir: Its folder.
        parts: Who is told.
    """

    def __init__(self, spec: SweepSpec, sweep_dir: SweepDir, parts: Parts) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._parts = parts
        self._said: set[str] = set()

    def stopping(self, running: int, grace_s: float, end: End | None) -> None:
        """Tell that the trials that run are asked to stop.

        Args:
            running: How many.
            grace_s: After so many seconds those are killed that came to no checkpoint.
            end: The limit that was reached, or None where somebody asked.
        """
        trials = (
            "1 trial ends at its next checkpoint" if running == 1 else f"{running} trials end at their next checkpoints"
        )
        again = "" if end else "; asked again (Ctrl-C), at once"
        why = end.reason if end else "stopping"
        self._parts.watcher.say(f"{why}: {trials}, or by a kill in {grace_s:g} s{again}")

    def settle(self, record: TrialRecord) -> TrialRecord:
        """Tell that a trial will not run again; return it with what its constraints say of it."""
        if record.state is TrialState.FAIL:
            record = replace(record, values={})
        record = judged(record, self._spec)
        self._state(record)
        self._parts.study.settle(
            record.number,
            record.state,
            record.values,
            record.constraints,
            reason=record.reason,
            seconds=record.seconds,
            trained=record.trained,
            tags=dict(record.tags),
        )
        self._parts.scheduler.settle(record.number, record.state)
        checkpoints.tidy(self._dir.trial(record.number).path)
        return record

    def set_aside(self, record: TrialRecord, ending: Ending) -> TrialRecord:
        """Tell that a trial goes on later; return it as it waits.

        Args:
            record: RUNNING where it goes on at once, PAUSED or INTERRUPTED.
            ending: How its process ended.
        """
        if record.state is TrialState.RUNNING:
            failures = record.failures + (ending is Ending.FAILED)
            losses = record.losses + (ending is Ending.LOST)
            record = replace(record, state=TrialState.INTERRUPTED, failures=failures, losses=losses)
        record = replace(record, values={})
        self._state(record)
        self._parts.study.note(
            record.number,
            state=record.state.value,
            reason=record.reason,
            seconds=record.seconds,
            trained=record.trained,
            failures=record.failures,
            losses=record.losses,
        )
        return record

    def damage(self, trial: int, damage: Sequence[str]) -> dict[str, str]:
        """Say what could not be read of a trial's event files, once, and return it as a tag."""
        for line in damage:
            self.note(f"trial {trial}: {line}")
        return {DAMAGE: "; ".join(damage)} if damage else {}

    def note(self, note: str) -> None:
        """Say what the first trial that ends has to say of the model's own specs."""
        if note and note not in self._said:
            self._said.add(note)
            self._parts.watcher.say(f"note: {note}")

    def _state(self, record: TrialRecord) -> None:
        """Record and show the state that a trial entered."""
        changed = TrialChanged(
            record.number,
            self._parts.now(),
            record.state,
            record.reason,
            record.values,
            record.step,
            record.tags,
        )
        self._parts.log.append(changed)
        objective = "".join(f", {metric} {value:.6g}" for metric, value in record.values.items())
        reason = f" ({record.reason})" if record.reason else ""
        at = f" at step {record.step}" if record.step else ""
        self._parts.watcher.say(f"trial {record.number}: {record.state.value}{at}{objective}{reason}")
