"""Compare what three places hold of a sweep: event files, study, MLflow.

Equal means the last bit: an event's float32 widened to a double is what study and MLflow hold, and
the objective recomputed by the sweep's rule is the recorded one (NaN equals NaN).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from tuner.config.manifest import SweepManifest, read_manifest
from tuner.domain.scoring import constraint_values, objective_values
from tuner.domain.tags import SIMULATED, STATE, STEP, STOPPED_AT, TRIAL
from tuner.domain.trial import Evaluation, TrialState
from tuner.events import FirstValueFilter, Follower
from tuner.events.first_values import same_bits
from tuner.files.driver_lock import at_work
from tuner.files.paths import SweepDir
from tuner.operations.log_comparison import log_differences
from tuner.operations.recorded_metrics import RecordedMetrics, evaluations_in_log, recorded_beyond_study
from tuner.recorders.mlflow.batch import text
from tuner.recorders.mlflow.naming import LONGEST_VALUE, MetricNames, ValidNames
from tuner.recorders.mlflow.reader import MlflowReader, RecordedModel, RecordedRun
from tuner.recorders.mlflow.statuses import STATUS, STATUS_OF_END
from tuner.records.log import DamagedLine, last_record, read_lines
from tuner.records.record import ModelExported, SweepClosed
from tuner.records.trials import begun_trials
from tuner.results import SweepResult, Trial
from tuner.study.reading import read_study


@dataclass
class Report:
    """What was compared and what differs.

    Attributes:
        differences: A line each; empty if all is equal.
        notes: What is not a difference but worth knowing, a line each.
        trials: How many trials were compared.
        values: How many values of evaluations were compared.
    """

    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: int = 0
    values: int = 0


def verify_sweep(sweep_dir: SweepDir, result: SweepResult) -> Report:
    """Compare event files, study and MLflow of all trials of a sweep.

    Raises:
        RecorderError: MLflow does not answer, or refuses.
    """
    report = Report()
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
    recorded = MlflowReader(sweep_dir, os.environ.get("MLFLOW_TRACKING_URI"))
    if in_mlflow and not recorded.is_there:
        report.differences.append("MLflow: there are no records, its database is not there")
        in_mlflow = False
    parents, runs = recorded.whole_runs(frozen.sweep_id) if in_mlflow else ([], {})
    if in_mlflow:
        report.differences += _differences_of_sweep(sweep_dir, parents)
    recorded_beyond = recorded_beyond_study(sweep_dir, result.trials)
    scripted = RecordedMetrics(sweep_dir, result.spec) if result.spec.command and simulation is None else None
    names = ValidNames(frozen.spec.space.names)
    for trial in result.trials:
        names.add(trial.params)
        found = runs.pop(trial.number, [])
        if len(found) != 1 and in_mlflow:
            report.differences.append(f"trial {trial.number}: has {len(found)} MLflow runs, expected 1")
        run = found[0] if found else None
        evaluations = None if in_log is None else in_log.get(trial.number, [])
        beyond = recorded_beyond.get(trial.number, frozenset())
        _Comparison(sweep_dir, trial, run, report, evaluations, scripted, names, beyond).run()
        report.trials += 1
    if not at_work(sweep_dir):
        report.differences += log_differences(sweep_dir, result.trials)
    for number, where in _lost(sweep_dir, frozen, result, runs).items():
        report.differences.append(f"trial {number}: has {where} but is not in the study")
    trials = {trial.number: trial for trial in result.trials}
    for record in exports:
        if record.trial in trials:
            _compare_export(record, trials[record.trial], report)
    if in_mlflow:
        run_ids = {run_id for run_id, _ in parents} | {trial.run_id for trial in result.trials if trial.run_id}
        for model in recorded.models_of(run_ids):
            _compare_model(model, trials, report)
    return report


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


class _Comparison:
    """Compare one trial.

    Args:
        evaluations: What it evaluated, or None to read its event files.
        scripted: What counts of what a command wrote, or None if there is a model.
        names: What MLflow calls the parameters.
        beyond: Folder, step and tag of what was recorded of a trial that is not complete, from the last step on that
            its study has.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        trial: Trial,
        run: RecordedRun | None,
        report: Report,
        evaluations: list[Evaluation] | None = None,
        scripted: RecordedMetrics | None = None,
        names: ValidNames | None = None,
        beyond: Set[tuple[str, int, str]] = frozenset(),
    ) -> None:
        self._trial = trial
        self._evaluations = evaluations
        self._run = run
        self._report = report
        self._scripted = scripted
        self._follower = Follower(sweep_dir.trial(trial.number).path, anywhere=scripted is not None)
        self._first = FirstValueFilter()
        self._names = names or ValidNames()
        self._beyond = beyond

    def run(self) -> None:
        found = self._follower.poll() if self._evaluations is None else self._evaluations
        if self._scripted is not None:
            found = self._scripted.counted(self._trial, found)
        evaluations = [e for e in map(self._first.filter, found) if e is not None]
        self._compare_study(self._up_to_its_end(evaluations, self._is_in_study))
        if self._run is not None:
            self._compare_run(self._run, self._up_to_its_end(evaluations, self._is_recorded))
        self._note()

    def _up_to_its_end(
        self, evaluations: list[Evaluation], counts: Callable[[Evaluation, str], bool]
    ) -> list[Evaluation]:
        """Return what counts of a trial: all if it was complete at its end, else what came before it was decided."""
        if self._trial.state is TrialState.COMPLETE and STOPPED_AT not in self._trial.record.tags:
            return evaluations
        counted = (
            replace(e, scalars={tag: value for tag, value in e.scalars.items() if counts(e, tag)}) for e in evaluations
        )
        return [evaluation for evaluation in counted if evaluation.scalars]

    def _is_in_study(self, evaluation: Evaluation, _tag: str) -> bool:
        last = self._trial.record.step
        return last is not None and evaluation.step <= last

    def _is_recorded(self, evaluation: Evaluation, tag: str) -> bool:
        """Whether a value was recorded: at the last step of the study others than its own may have come too late.

        What no objective came with was recorded too, and the study knows nothing of it.
        """
        last = self._trial.record.step
        if last is not None and evaluation.step < last:
            return True
        of_study = tag == self._trial.objectives[0].metric or tag in self._trial.record.others
        if last == evaluation.step and of_study and self._is_source(evaluation, tag):
            return True
        return (evaluation.folder, evaluation.step, tag) in self._beyond

    def _compare_study(self, evaluations: list[Evaluation]) -> None:
        curves: dict[str, dict[int, float]] = {}
        for evaluation in evaluations:
            for tag, value in evaluation.scalars.items():
                if self._is_source(evaluation, tag):
                    curves.setdefault(tag, {}).setdefault(evaluation.step, value)
        objectives, record = self._trial.objectives, self._trial.record
        self._compare(f"study, {objectives[0].metric}", record.curve, curves.get(objectives[0].metric, {}))
        for metric, curve in record.others.items():
            of_objectives = {step: value for step, value in curves.get(metric, {}).items() if step in record.curve}
            self._compare(f"study, {metric}", curve, of_objectives)
        for metric, value in constraint_values(self._trial.constraints, curves).items():
            if metric in record.constraints and not same_bits(value, record.constraints[metric]):
                self._differ(f"study: constraint {metric} is {record.constraints[metric]!r}, recomputed {value!r}")
        if self._trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and self._trial.values:
            self._compare_objective(objective_values(objectives, curves))

    def _is_source(self, evaluation: Evaluation, tag: str) -> bool:
        if self._scripted is None:
            return not evaluation.is_secondary
        return self._scripted.is_source(self._trial, evaluation.folder, tag)

    def _compare_objective(self, expected: Mapping[str, float]) -> None:
        for metric, value in self._trial.values.items():
            if metric not in expected:
                if math.isfinite(value):
                    self._differ(f"study: objective {metric} is {value!r}, the event files have none")
            elif not same_bits(value, expected[metric]) and math.isfinite(value):
                self._differ(f"study: objective {metric} is {value!r}, recomputed {expected[metric]!r}")

    def _compare_run(self, run: RecordedRun, evaluations: list[Evaluation]) -> None:
        names = MetricNames() if self._scripted is None else self._scripted.names(self._trial.number)
        expected: dict[str, dict[int, float]] = {}
        for evaluation in evaluations:
            for tag, value in evaluation.scalars.items():
                if not math.isinf(value):
                    name = names.name(evaluation.folder, tag, evaluation.is_secondary)
                    expected.setdefault(name, {}).setdefault(evaluation.step, value)
        held = {name: values for name, values in run.metrics.items() if name.startswith("eval/")}
        for name in sorted({*expected, *held}):
            self._compare(f"MLflow, {name}", held.get(name, {}), expected.get(name, {}))
        for line in run.doubled:
            self._differ(f"MLflow: {line} has more than one row")
        self._compare_recorded(run)
        self._compare_params(run)

    def _compare_recorded(self, run: RecordedRun) -> None:
        trial = self._trial
        if run.status != STATUS[trial.state]:
            self._differ(
                f"MLflow: status {run.status}, expected {STATUS[trial.state]} of a trial that is {trial.state.value}"
            )
        if run.tags.get(STATE) != trial.state.value:
            self._differ(f"MLflow: state {run.tags.get(STATE)}, study: {trial.state.value}")
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            names = ValidNames(f"objective/{metric}" for metric in trial.values)
            for metric, value in trial.values.items():
                name = names[f"objective/{metric}"] if len(trial.values) > 1 else "objective"
                held = list(run.metrics.get(name, {}).values())
                if not math.isinf(value) and not (held and same_bits(held[-1], value)):
                    self._differ(f"MLflow: {name} is {held}, study: {value!r}")

    def _compare_params(self, run: RecordedRun) -> None:
        expected = {self._names[name]: text(value)[:LONGEST_VALUE] for name, value in self._trial.params.items()}
        for name in sorted({*expected, *run.params}):
            held, value = run.params.get(name), expected.get(name)
            if held != value:
                self._differ(f"MLflow: parameter {name} is {held!r}, study: {value!r}")

    def _compare(self, where: str, held: Mapping[int, float], expected: Mapping[int, float]) -> None:
        for step in sorted({*held, *expected}):
            self._report.values += 1
            if step not in held:
                self._differ(f"{where}: step {step} is missing, event files: {expected[step]!r}")
            elif step not in expected:
                self._differ(f"{where}: step {step} is {held[step]!r}, the event files have none")
            elif not same_bits(held[step], expected[step]):
                self._differ(f"{where}: step {step} is {held[step]!r}, event files: {expected[step]!r}")

    def _differ(self, line: str) -> None:
        self._report.differences.append(f"trial {self._trial.number}: {line}")

    def _note(self) -> None:
        if self._first.differing:
            self._report.notes.append(
                f"trial {self._trial.number}: {self._first.differing} repeats differ from the first value, which stands"
            )
        for damage in self._follower.damage:
            self._report.notes.append(f"trial {self._trial.number}: {damage}")
