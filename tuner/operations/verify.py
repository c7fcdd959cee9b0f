"""Compare what three places hold of a sweep: event files, study, MLflow.

Equal means the last bit: an event's float32 widened to a double is what study and MLflow hold, and
the objective recomputed by the sweep's rule is the recorded one (NaN equals NaN).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tuner.config.manifest import SweepManifest, read_manifest
from tuner.domain.tags import SIMULATED, STEP, TRIAL
from tuner.events.first_values import same_bits
from tuner.files.driver_lock import at_work
from tuner.files.paths import SweepDir
from tuner.operations.log_comparison import log_differences
from tuner.operations.recorded_metrics import RecordedMetrics, evaluations_in_log, recorded_beyond_study
from tuner.operations.trial_comparison import Report, TrialComparison
from tuner.recorders.mlflow.naming import ValidNames
from tuner.recorders.mlflow.reader import MlflowReader, RecordedModel
from tuner.recorders.mlflow.statuses import STATUS_OF_END
from tuner.records.log import DamagedLine, last_record, read_lines, read_sent_offset
from tuner.records.record import ModelExported, SweepClosed
from tuner.records.trials import begun_trials, idle_trials, settled_trials
from tuner.results import SweepResult, Trial
from tuner.study.reading import read_study


def verify_now(sweep_dir: SweepDir, read: Callable[[], SweepResult]) -> Report:
    """Compare what a sweep holds now, whether or not a driver is at work, or begins or ends meanwhile.

    Raises:
        RecorderError: MLflow does not answer, or refuses.
    """
    working = bool(at_work(sweep_dir))  # before anything is read: what it writes later is not there yet
    report = verify_sweep(sweep_dir, read(), working)
    if report.differences and not working and at_work(sweep_dir):  # it has begun meanwhile
        report = verify_sweep(sweep_dir, read(), True)
    return report


def verify_sweep(sweep_dir: SweepDir, result: SweepResult, working: bool | None = None) -> Report:
    """Compare event files, study and MLflow of all trials of a sweep.

    Args:
        sweep_dir: The sweep's folder.
        result: What its study has.
        working: Whether a driver was at work when the study was read: trials that have not ended, or whose records
            are on their way, may then be farther in one place than in another, and are not compared. None: as now.

    Raises:
        RecorderError: MLflow does not answer, or refuses.
    """
    report = Report()
    working = bool(at_work(sweep_dir)) if working is None else working
    frozen = read_manifest(sweep_dir)
    simulation = frozen.spec.simulation if SIMULATED in frozen.tags else None
    in_log = None
    if simulation is not None and not simulation.event_files:
        in_log = evaluations_in_log(sweep_dir)
        report.notes.append("simulated without event files: compared with what stands in curves.jsonl instead")
    in_mlflow = simulation is None or simulation.record
    if not in_mlflow:
        report.notes.append("simulated with record: false: there is nothing in MLflow to compare")
    damaged, exports = _log_of(sweep_dir)
    report.notes += damaged
    sent = read_sent_offset(sweep_dir.sent_file) if in_mlflow else None  # before MLflow is read, which then has these
    recorded = MlflowReader(sweep_dir, os.environ.get("MLFLOW_TRACKING_URI"))
    if in_mlflow and not recorded.is_there:
        lines = report.notes if working and not sent else report.differences  # a driver that has begun makes it
        lines.append("MLflow: there are no records, its database is not there")
        in_mlflow = False
    parents, runs = recorded.whole_runs(frozen.sweep_id) if in_mlflow else ([], {})
    if in_mlflow and not working:
        report.differences += _differences_of_sweep(sweep_dir, parents)
    compared = _settled(sweep_dir, result.trials, sent) if working else result.trials
    report.unsettled = len(result.trials) - len(compared)
    idle_since = idle_trials(sweep_dir.records_file)
    recorded_beyond = recorded_beyond_study(sweep_dir, result.trials)
    scripted = RecordedMetrics(sweep_dir, result.spec) if result.spec.command and simulation is None else None
    names = ValidNames(frozen.spec.space.names)
    for trial in result.trials:
        names.add(trial.params)  # of all, as those that they share a name with are called by their order
    for trial in compared:
        found = runs.pop(trial.number, [])
        if len(found) != 1 and in_mlflow:
            report.differences.append(f"trial {trial.number}: has {len(found)} MLflow runs, expected 1")
        run = found[0] if found else None
        evaluations = None if in_log is None else in_log.get(trial.number, [])
        beyond = recorded_beyond.get(trial.number, frozenset())
        since = idle_since.get(trial.number, math.inf)
        TrialComparison(sweep_dir, trial, run, report, evaluations, scripted, names, beyond, since).run()
        report.trials += 1
    for trial in result.trials:
        runs.pop(trial.number, None)
    if not working:
        report.differences += log_differences(sweep_dir, result.trials)
    for number, where in _lost(sweep_dir, frozen, result, runs).items():
        report.differences.append(f"trial {number}: has {where} but is not in the study")
    run_ids = {run_id for run_id, _ in parents} | {trial.run_id for trial in result.trials if trial.run_id}
    _compare_exported(exports, recorded.models_of(run_ids) if in_mlflow else (), compared, report)
    return report


def _settled(sweep_dir: SweepDir, trials: Sequence[Trial], sent: int | None) -> list[Trial]:
    """Return the trials that a driver which is at work writes no more of, and that are the same everywhere."""
    settled = settled_trials(sweep_dir.records_file, sent)
    return [trial for trial in trials if trial.state.is_finished and trial.number in settled]


def _lost(sweep_dir: SweepDir, frozen: SweepManifest, result: SweepResult, runs: Iterable[int]) -> Mapping[int, str]:
    """Return the trials that the study does not have, though MLflow or the record log does, with where they are."""
    recorded, stored = set(begun_trials(sweep_dir.records_file)), set(runs)
    if recorded.difference(trial.number for trial in result.trials) or stored:
        study = read_study(sweep_dir, frozen.spec, frozen.storage_url)  # again: some may have begun meanwhile
        numbers = {trial.number for trial in study.trials}
        recorded, stored = recorded - numbers, stored - (numbers - study.deleted)
        found = dict.fromkeys(recorded, f"records in {sweep_dir.records_file.name}")
        return dict(sorted({**found, **dict.fromkeys(stored, "an MLflow run")}.items()))
    return {}


def _log_of(sweep_dir: SweepDir) -> tuple[list[str], list[ModelExported]]:
    """Return a line for each of the record log that is no record, and what the sweep says that it exported."""
    file, begin = sweep_dir.records_file, 0
    damaged, exports = [], []
    for number, (held, end) in enumerate(read_lines(file), 1):
        record = held.rest if isinstance(held, DamagedLine) else held
        if isinstance(held, DamagedLine):
            damaged.append(
                f"{file}, line {number}, byte {begin} is damaged: found {held.text[:60]!r}, expected a record"
            )
        if isinstance(record, ModelExported) and not record.problem:
            exports.append(record)
        begin = end
    return damaged, exports


def _differences_of_sweep(sweep_dir: SweepDir, parents: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield how the sweep's own run differs from how its latest driver ended; of one that is at work nothing."""
    if len(parents) != 1:
        yield f"MLflow: the sweep has {len(parents)} runs of its own, expected 1"
        return
    last = last_record(sweep_dir.records_file)
    if isinstance(last, SweepClosed):
        expected, ((_, status),) = STATUS_OF_END[last.finished], parents
        if status != expected:
            yield f"MLflow: the sweep's own run is {status}, expected {expected}: {last.reason}"


def _compare_exported(
    exports: Iterable[ModelExported], models: Iterable[RecordedModel], compared: Iterable[Trial], report: Report
) -> None:
    """Compare what was exported of these trials with their curves."""
    trials = {trial.number: trial for trial in compared}
    for record in exports:
        if record.trial in trials:
            _compare_export(record, trials[record.trial], report)
    for model in models:
        _compare_model(model, trials, report)


def _compare_export(record: ModelExported, trial: Trial, report: Report) -> None:
    """Compare the step and the score of an export with the curve of its trial."""
    what, found = f"trial {trial.number}: exported at step {record.step}", trial.values_at(record.step)
    for metric, value in record.values.items():
        if metric not in found or not same_bits(found[metric], value):
            report.differences.append(f"{what}: {metric} is {value!r}, study: {found.get(metric)!r}")
    _compare_step(what, record.step, trial, record.gone, report)


def _compare_step(what: str, step: int, trial: Trial, said: str, report: Report) -> None:
    """Compare the step of an export with the best one of its trial, unless the sweep said that this is gone."""
    ranked, curve = trial.ranked_steps, trial.record.curve
    metric = trial.objectives[0].metric
    if step not in curve:
        report.differences.append(f"{what}, at which it was not evaluated")
    elif step != ranked[0]:
        line = f"{what}, {metric} {curve[step]!r}, though step {ranked[0]} has {curve[ranked[0]]!r}"
        report.notes.append(f"{line}: {said}") if said else report.differences.append(line)


def _compare_model(model: RecordedModel, trials: Mapping[int, Trial], report: Report) -> None:
    """Compare the step and the score that a model in MLflow has with the curve of its trial."""
    number, step = int(model.tags.get(TRIAL, -1)), int(model.tags.get(STEP, -1))
    what = f"MLflow, model {model.model_id} of trial {number} at step {step}"
    if number not in trials:
        return  # of a trial that was deleted, whose registered model stays
    metric, curve = trials[number].objectives[0].metric, trials[number].record.curve
    if step not in curve:
        report.differences.append(f"{what}: it was not evaluated there")
    elif model.metadata is None:
        report.notes.append(f"{what}: its MLmodel file cannot be read")
    else:
        says = [model.metadata.get(key) for key in ("trial", "step", metric)]
        if says[:2] != [number, step] or says[2] is None or not same_bits(says[2], curve[step]):
            report.differences.append(f"{what}: it says {says}, study: {[number, step, curve[step]]!r}")
