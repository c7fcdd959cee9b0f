"""A sweep that ended before: whether there is anything left to do, found out without TensorFlow and MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tuner.paths import SweepDir, TrialDir
from tuner.recorders.arrived import all_arrived
from tuner.records import SweepClosed, last_record
from tuner.results import Trial
from tuner.spec import SweepSpec
from tuner.study.reading import read_study
from tuner.sweep.limits import GRID, End, used_up
from tuner.sweep.opening import Frozen
from tuner.sweep.simulating import TAG
from tuner.sweep.tally import Tally
from tuner.values import TrialState


def nothing_to_run(sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> End | None:
    """Return why a sweep that ended has no trial to run; None where it may have one.

    Says so only of what its last driver closed, by the limits that ``spec`` has now.

    Raises:
        StoreError: The study cannot be read.
    """
    closed = last_record(sweep_dir.records_file)
    if not isinstance(closed, SweepClosed) or not closed.finished:
        return None
    if any(sweep_dir.trials_dir.glob(f"*/{TrialDir(sweep_dir.path).away_file.name}")):
        return None  # its backend brings home what is still away
    study = read_study(sweep_dir, spec, storage_url)
    states = {trial.state for trial in study.trials}
    if states & {TrialState.RUNNING, TrialState.PAUSED}:
        return None  # whoever closed it did not see these
    tally = Tally(spec, sweep_dir)
    for trial in study.trials:
        tally.recall(trial)
    end = tally.limits.reached(study.seconds, tally.steps)
    if end is not None:
        return end
    begun, trials = len(study.trials), spec.search.trials
    all_points = spec.search.sampler.name == "grid" and closed.reason.endswith(GRID)
    if TrialState.INTERRUPTED in states or (begun < trials and not all_points):
        return None
    return used_up(begun, begun, trials)


def nothing_to_send(sweep_dir: SweepDir, frozen: Frozen, trials: Iterable[Trial]) -> bool:
    """Whether the tracking store has all that was recorded of a sweep that ended, files included."""
    closed = last_record(sweep_dir.records_file)
    if TAG in frozen.tags and frozen.spec.simulation is not None and not frozen.spec.simulation.record:
        return True
    settled = {trial.number for trial in trials if trial.state.settled}
    uri, plots = os.environ.get("MLFLOW_TRACKING_URI"), frozen.spec.record.plots
    return isinstance(closed, SweepClosed) and all_arrived(sweep_dir, uri, settled, closed, plots)
