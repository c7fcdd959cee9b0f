"""What a user's program is told while a sweep runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord
from tuner.driver.progress import Display, NullDisplay
from tuner.driver.reactions import Reaction
from tuner.driver.running_trial import RunningTrial
from tuner.files.paths import SweepDir
from tuner.files.run_ids import run_ids
from tuner.results import SweepResult, Trial

TrialCallback = Callable[[Trial], Any]
"""Called in the driver with a trial; it holds the sweep up."""

EvaluationCallback = Callable[[Trial, int, Mapping[str, float]], Any]
"""Called with a trial as it stands, the global step that was evaluated, and metric to value there."""

SweepCallback = Callable[[SweepResult], Any]
"""Called with the result of a sweep."""


@dataclass(frozen=True)
class Callbacks:
    """The functions of a user; None for those that there are not.

    Attributes:
        on_trial_start: When a trial's process has begun, again when it goes on.
        on_evaluation: When a trial has a value of every objective at a step.
        on_trial_end: When a trial has completed, was pruned or failed.
        on_sweep_end: When the sweep has ended or was stopped, once everything is recorded.
    """

    on_trial_start: TrialCallback | None = None
    on_evaluation: EvaluationCallback | None = None
    on_trial_end: TrialCallback | None = None
    on_sweep_end: SweepCallback | None = None


@dataclass(frozen=True)
class CallbackRunner(Reaction):
    """Call a user's functions as the loop calls it.

    A function that raises is reported, by a line and a warning, and takes nothing with it: the sweep goes on,
    and the function is called again the next time.

    Args:
        callbacks: The functions.
        sweep_dir: The sweep's folder.
        spec: What it runs.
        display: Shows what went wrong.
        recorded: Returns a trial as it was recorded, with when it began and ended.
    """

    callbacks: Callbacks
    sweep_dir: SweepDir
    spec: SweepSpec
    display: Display = field(default_factory=NullDisplay)
    recorded: Callable[[int], TrialRecord] | None = None

    def on_begin(self, trial: RunningTrial) -> None:
        if (call := self.callbacks.on_trial_start) is not None:
            self._call("on_trial_start", f"trial {trial.number}", lambda: call(self._trial(trial.record)))

    def on_evaluation(self, trial: RunningTrial, step: int) -> None:
        if step in trial.record.curve:
            return  # an earlier attempt has shown it
        if (call := self.callbacks.on_evaluation) is not None:
            what = f"trial {trial.number} at step {step}"
            self._call("on_evaluation", what, lambda: call(self._trial(trial.as_record()), step, trial.at(step)))

    def on_finished(self, record: TrialRecord) -> None:
        if (call := self.callbacks.on_trial_end) is not None:
            whole = self.recorded(record.number) if self.recorded is not None else record
            self._call("on_trial_end", f"trial {record.number}", lambda: call(self._trial(whole)))

    def sweep_ended(self, result: SweepResult) -> None:
        if (call := self.callbacks.on_sweep_end) is not None:
            self._call("on_sweep_end", f"the sweep {self.spec.name!r}", lambda: call(result))

    def _trial(self, record: TrialRecord) -> Trial:
        run_id = run_ids(self.sweep_dir).get(record.number)
        trial_dir = str(self.sweep_dir.trial(record.number).path)
        return Trial(record, self.spec.objectives, run_id, trial_dir, self.spec.constraints)

    def _call(self, name: str, of: str, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:
            line = f"{name} failed for {of}, and the sweep goes on: {type(error).__name__}: {error}"
            self.display.line(line)
            warnings.warn(line, RuntimeWarning, stacklevel=2)
