"""A sweep that ended before: whether there is anything left to do, found out without TensorFlow and MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tuner.config.manifest import SweepManifest
from tuner.config.sampler_options import sampler_kind
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import SIMULATED
from tuner.domain.trial import TrialState
from tuner.driver.status import SweepStatus, in_order_of_ending
from tuner.driver.stop_criteria import GRID, StopReason, trials_used_up
from tuner.files.paths import SweepDir, TrialDir
from tuner.recorders.mlflow.reader import is_fully_recorded
from tuner.records.log import last_record
from tuner.records.record import SweepClosed
from tuner.results import Trial
from tuner.study.reading import StudyOnDisk


def nothing_to_run(sweep_dir: SweepDir, spec: SweepSpec, study: StudyOnDisk) -> StopReason | None:
    """Return why a sweep ended that has no trial to run; None if it may have one.

    Says so only of what its last driver closed, by the limits that ``spec`` has now. What ended it stays what ended
    it: smaller limits, which it is beyond, change nothing.
    """
    closed = last_record(sweep_dir.records_file) if sweep_dir.spec_file.exists() else None
    if not isinstance(closed, SweepClosed) or not closed.finished:
        return None
    if any(sweep_dir.trials_dir.glob(f"*/{TrialDir(sweep_dir.path).away_file.name}")):
        return None  # its backend brings home what is still away
    states = {trial.state for trial in study.trials}
    if TrialState.RUNNING in states:
        return None  # whoever closed it did not see it
    status = SweepStatus(spec)
    for trial in in_order_of_ending(study.trials):
        status.add_earlier(trial)
    end = status.stop_criteria.reached(study.seconds, status.steps)
    if end is not None:
        return _as_recorded(end, closed)
    begun, trials = len(study.trials), spec.search.trials
    all_points = sampler_kind(spec.search.sampler.name).lists_values and closed.reason.endswith(GRID)
    if states & {TrialState.INTERRUPTED, TrialState.PAUSED} or (begun < trials and not all_points):
        return None
    return _as_recorded(trials_used_up(begun, begun, trials), closed)


def _as_recorded(end: StopReason, closed: SweepClosed) -> StopReason:
    return end if end.reason == closed.reason else StopReason(closed.reason, closed.failed)


def nothing_to_send(sweep_dir: SweepDir, manifest: SweepManifest, trials: Iterable[Trial]) -> bool:
    """Whether the tracking store has all that was recorded of a sweep that ended, files included."""
    closed = last_record(sweep_dir.records_file)
    if SIMULATED in manifest.tags and manifest.spec.simulation is not None and not manifest.spec.simulation.record:
        return True
    finished = {trial.number for trial in trials if trial.state.is_finished}
    uri, plots = os.environ.get("MLFLOW_TRACKING_URI"), manifest.spec.record.plots
    return isinstance(closed, SweepClosed) and is_fully_recorded(sweep_dir, uri, finished, closed, plots)
